"""Commands of this very version on other backends: a child process with another environment."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings

from leadgen.lib import env
from leadgen.operations.transfer.errors import ChildError

Say = Callable[[str], None]


def manage(say: Say, backends: dict[str, str], *arguments: str) -> None:
    """Run a manage.py command with these variables instead of ours, and say what it says."""
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
                say(f"  {lines[-1]}")
        except BaseException:
            child.terminate()
            raise
    if child.returncode:
        raise ChildError(f"manage.py {' '.join(arguments)} failed: {' / '.join(lines[-3:])}")


@contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """Inside, SIGTERM ends this process as Ctrl-C does: what was begun is undone on the way out."""

    def end(*_: object) -> None:
        sys.exit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
