"""`make manage ARGS=…`: a manage.py command on the backends that `make run` has started."""

import os
import sys

from dev import environment
from dev.console import fail
from dev.state import ROOT


def main() -> None:
    """Become manage.py with the arguments of the command line."""
    backends = environment.running()
    if not backends:
        fail("`make run` is not up in this checkout. Start it, then try again.")
    env = environment.development() | backends
    os.chdir(ROOT)
    os.execve(sys.executable, [sys.executable, "manage.py", *sys.argv[1:]], env)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
