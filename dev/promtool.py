"""promtool of Prometheus, for the tests of the alert rules."""

import os
import shutil

from dev import debian


def program() -> str:
    """Return the path of promtool, installed first where that is possible; else RuntimeError."""
    if path := os.environ.get("PROMTOOL") or shutil.which("promtool"):
        return path
    if not debian.can_install():
        raise RuntimeError(
            "The tests of the alert rules need promtool.\n"
            "Install it once: sudo apt-get install prometheus\n"
            "or name one that is here: make test PROMTOOL=/path/to/promtool"
        )
    debian.install(["prometheus"])
    return shutil.which("promtool") or "promtool"
