"""`make check`: static checks: format, lint, types, imports, migrations, settings, locks."""

import os
import subprocess
import sys
import time

from dev import locks
from dev.console import paint, say
from dev.state import ROOT

_BIN = os.path.dirname(sys.executable)
_MANAGE = (sys.executable, "manage.py")
_CHECKS: dict[str, tuple[str, ...]] = {
    "format": (f"{_BIN}/ruff", "format", "--check"),
    "lint": (f"{_BIN}/ruff", "check"),
    "types": (f"{_BIN}/mypy",),
    "imports": (f"{_BIN}/lint-imports",),
    "migrations": (*_MANAGE, "makemigrations", "--check", "--dry-run"),
    "django": (*_MANAGE, "check", "--fail-level", "WARNING"),
    "settings": (sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "tests/architecture"),
}
_FIXES = (_CHECKS["lint"] + ("--fix",), (f"{_BIN}/ruff", "format"))


def main() -> None:
    """Run every check, or with --fix repair first what ruff can; end with 1 if one fails."""
    if "--fix" in sys.argv:
        sys.exit(max(_run(command).returncode for command in _FIXES))
    failed = [name for name, command in _CHECKS.items() if not _passes(name, command)]
    if stale := locks.stale():
        failed.append("locks")
        say(f"{paint('✗ locks', 'red')}  run `make lock`: {', '.join(stale)} no longer fit")
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")
    say(paint(f"All {len(_CHECKS) + 1} checks passed.", "green"))


def _passes(name: str, command: tuple[str, ...]) -> bool:
    started = time.monotonic()
    done = _run(command)
    seconds = f"({time.monotonic() - started:.1f} s)"
    if done.returncode == 0:
        say(f"{paint('✓', 'green')} {name} {paint(seconds, 'dim')}")
        return True
    say(f"{paint('✗ ' + name, 'red')} {seconds}\n{done.stdout.rstrip()}\n")
    return False


def _run(command: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "DEBUG": "true", "LOG_FORMAT": "console", "LOG_LEVEL": "WARNING"}
    return subprocess.run(
        command,
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    main()
