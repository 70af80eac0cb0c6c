"""Typed readers of environment variables; no other module reads them.

Every reader takes the variable's NAME. A NAME_FILE beside it names a file that holds the value,
as Docker and Kubernetes mount secrets; NAME itself wins where both are set.
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def is_set(name: str) -> bool:
    """Tell whether the variable or its _FILE variant is set and not empty."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def string(name: str, default: str = "") -> str:
    """Return the value, or the content of NAME_FILE, or the default; raise for a missing file."""
    if value := os.environ.get(name):
        return value
    if path := os.environ.get(f"{name}_FILE"):
        return _read(name, Path(path))
    return default


def integer(name: str, default: int) -> int:
    """Return a whole number; raise ImproperlyConfigured naming the variable otherwise."""
    value = string(name)
    try:
        return int(value) if value else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None


def boolean(name: str, default: bool) -> bool:
    """Return true for 1, true, yes, on; false for 0, false, no, off; raise for anything else."""
    value = string(name).lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    if value:
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")
    return default


def listing(name: str, default: str = "") -> list[str]:
    """Return the comma-separated values, trimmed, empty ones left out."""
    return [part.strip() for part in string(name, default).split(",") if part.strip()]


def changed(values: dict[str, str]) -> dict[str, str]:
    """Return the environment for a child process, with these variables replaced."""
    replaced = {f"{name}_FILE" for name in values}
    others = {name: value for name, value in os.environ.items() if name not in replaced}
    return others | values


def _read(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE={path} cannot be read: {error.strerror}."
        ) from None
