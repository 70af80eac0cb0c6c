"""Commands of this very version on other backends: a child process with another environment."""

import subprocess
import sys
from collections.abc import Callable

from django.conf import settings

from leadgen.lib import env
from leadgen.operations.moving.faults import ChildError

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
        for line in child.stdout or ():
            lines.append(line.rstrip())
            say(f"  {lines[-1]}")
    if child.returncode:
        raise ChildError(f"manage.py {' '.join(arguments)} failed: {' / '.join(lines[-3:])}")
