"""Programs from Debian packages. Standard library only, for dev/bootstrap.py."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.commands import finish
from dev.console import say

_POLICY = Path("/usr/sbin/policy-rc.d")


def can_install() -> bool:
    """Tell whether this process may install Debian packages here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Iterable[str]) -> None:
    """Install the packages and start no service; raise RuntimeError with apt's words."""
    names = list(packages)
    say(f"Installing the Debian packages {', '.join(names)} (once on this machine) …")
    with _services_left_alone():
        _apt("update")
        _apt("install", "-y", "--no-install-recommends", *names)


def _apt(*arguments: str) -> None:
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", *arguments]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    finish(" ".join(command), command, env=env)


@contextmanager
def _services_left_alone() -> Iterator[None]:
    """Debian starts a service on install unless policy-rc.d says no: we want private ones only."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
