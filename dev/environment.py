"""The environment that the programs of `make run` and `make test` get."""

import os
from collections.abc import Mapping
from pathlib import Path

from dev.console import has_colour
from dev.state import ROOT


def from_file(path: Path = ROOT / ".env") -> dict[str, str]:
    """Return NAME=value lines of a .env file; comments, blank lines and a missing file are fine."""
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.removeprefix("export ").strip(): _bare(value) for name, _, value in pairs}


def development(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what is given over what .env says over the defaults of development."""
    defaults = {"DEBUG": "true", "LOG_FORMAT": "console", "PYTHONUNBUFFERED": "1"}
    if has_colour():
        defaults["FORCE_COLOR"] = "1"
    return {**defaults, **from_file(), **given}


def is_set(env: Mapping[str, str], name: str) -> bool:
    """Tell whether the variable, or its _FILE twin, holds anything."""
    return bool(env.get(name) or env.get(f"{name}_FILE"))


def _bare(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value
