"""Child processes: manage.py commands of this version on other backends."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings

from leadgen.lib import env
from leadgen.operations.transfer.errors import ChildError

Report = Callable[[str], None]


def manage(report: Report, backends: dict[str, str], *arguments: str) -> None:
    """Run a manage.py command with these variables, and report its output line by line.

    Raise ChildError when it fails.
    """
    child = subprocess.Popen(  # noqa: S603 - our own interpreter and script
        [sys.executable, settings.BASE_DIR / "manage.py", *arguments],
        env=env.changed(backends),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    with child:
        try:
            for line in child.stdout or ():
                lines.append(line.rstrip())
                report(f"  {lines[-1]}")
        except BaseException:
            child.terminate()
            raise
    if child.returncode:
        raise ChildError(f"manage.py {' '.join(arguments)} failed: {' / '.join(lines[-3:])}")


@contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """Raise SystemExit on SIGTERM inside the block, so that context managers clean up."""

    def end(*_: object) -> None:
        sys.exit(128 + signal.SIGTERM)

    previous = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
