"""Environment variables of the programs of `make run` and `make test`."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dev.console import has_colour
from dev.state import ROOT, VAR

_SHARED = ("DATABASE_URL", "BROKER_URL", "STORAGE_URL", "PUBLIC_URL", "PROMETHEUS_MULTIPROC_DIR")


def from_file(path: Path = ROOT / ".env") -> dict[str, str]:
    """Return NAME=value lines of a .env file; comments, blank lines and a missing file are fine."""
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.removeprefix("export ").strip(): _bare(value) for name, _, value in pairs}


def development(overrides: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the overrides over the values of .env over the defaults of development."""
    defaults = {"DEBUG": "true", "LOG_FORMAT": "console", "PYTHONUNBUFFERED": "1"}
    if has_colour():
        defaults["FORCE_COLOR"] = "1"
    return {**defaults, **from_file(), **overrides}


@contextmanager
def shared(env: Mapping[str, str], folder: Path = VAR) -> Iterator[None]:
    """Let `make manage` find the backends for as long as `make run` is up."""
    path = folder / "run.json"
    text = json.dumps({name: env[name] for name in _SHARED if name in env})
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)  # it holds the database's password
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running(folder: Path = VAR) -> dict[str, str]:
    """Return what ``shared`` has written; nothing when `make run` is not up."""
    try:
        text = (folder / "run.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    addresses: dict[str, str] = json.loads(text)
    return addresses


def is_set(env: Mapping[str, str], name: str) -> bool:
    """Tell whether the variable, or its _FILE twin, holds anything."""
    return bool(env.get(name) or env.get(f"{name}_FILE"))


def _bare(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value
