"""Messages of the commands on the terminal."""

import os
import sys
import threading
from typing import NoReturn

_COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
_SERVICE_COLOURS = ("36", "35", "34", "33", "32")
_lock = threading.Lock()


def has_colour() -> bool:
    """Return whether to use colours: on a terminal without NO_COLOR."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def paint(text: str, colour: str) -> str:
    """Wrap the text in a named colour, or return it as it is where colours do not help."""
    return f"\033[{_COLOURS[colour]}m{text}\033[0m" if has_colour() else text


def say(text: str = "") -> None:
    """Print one line at once; lines of several threads never mix."""
    with _lock:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def say_from(name: str, line: str, place: int) -> None:
    """Print a line of a service behind its name, in the colour of its place."""
    prefix = f"{name:<9}|"
    if has_colour():
        prefix = f"\033[{_SERVICE_COLOURS[place % len(_SERVICE_COLOURS)]}m{prefix}\033[0m"
    say(f"{prefix} {line}")


def fail(text: str) -> NoReturn:
    """Say what is wrong and what to do, then end with status 1."""
    raise SystemExit(paint("✗ ", "red") + text)
