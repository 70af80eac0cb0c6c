"""kubectl, which includes kustomize, for the tests of the Kubernetes manifests."""

import json
import os
import shutil
import subprocess

from dev import debian

# The first with kustomize 5, whose replacements and components the manifests use.
_OLDEST = 27


def program() -> str:
    """Return a kubectl that is new enough, installed first where that is possible.

    Else RuntimeError, which says what to do.
    """
    configured = os.environ.get("KUBECTL")
    path = configured or shutil.which("kubectl")
    if not path and debian.can_install():
        debian.install(["kubernetes-client"])
        path = shutil.which("kubectl")
    if not path or _minor_version(path) < _OLDEST:
        raise RuntimeError(
            f"The tests need kubectl 1.{_OLDEST} or newer and found {path or 'none'}.\n"
            "Install it once (Debian 13: sudo apt-get install kubernetes-client), or name one\n"
            "that is here: make test KUBECTL=/path/to/kubectl"
        )
    return path


def _minor_version(kubectl: str) -> int:
    command = [kubectl, "version", "--client", "--output=json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        minor = str(json.loads(done.stdout)["clientVersion"]["minor"])
    except (ValueError, KeyError):
        return 0
    return int("".join(c for c in minor if c.isdigit()) or 0)
