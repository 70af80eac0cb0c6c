"""Folder of state between runs: var/ of the checkout, or LEADGEN_VAR."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("LEADGEN_VAR") or ROOT / "var")


class AlreadyRunningError(RuntimeError):
    """Another command of this checkout holds the lock."""


@contextmanager
def only_one(name: str, folder: Path = VAR) -> Iterator[None]:
    """Hold the lock of this name; raise AlreadyRunningError, with the other's process id, if taken.

    The system lets go of it however the holder ends, so a crash never blocks the next start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise AlreadyRunningError(file.read().strip() or "unknown") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def remembered(key: str, default: int, folder: Path = VAR) -> int:
    """Return the number kept under the key, or the default."""
    return _read(folder).get(key, default)


def remember(key: str, value: int, folder: Path = VAR) -> None:
    """Keep a number for the next run."""
    (folder / "state.json").write_text(json.dumps({**_read(folder), key: value}))


def fingerprint(*parts: Path | str) -> str:
    """Return the SHA-256 of texts and of the contents of files."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else part.encode())
    return digest.hexdigest()


def _read(folder: Path) -> dict[str, int]:
    try:
        state = json.loads((folder / "state.json").read_text())
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}
