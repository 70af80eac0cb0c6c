"""Where the storage is a disk of ours: files that are there as a whole or not at all."""

import os
import time
from contextlib import suppress
from pathlib import Path

from django.core.files.storage import default_storage

_DAY = 24 * 3600


def path_of(name: str) -> Path | None:
    """Return where the object lies; None where the storage is no disk."""
    try:
        return Path(default_storage.path(name))
    except NotImplementedError:
        return None


def write(path: Path, content: bytes, unfinished: Path) -> None:
    """Write a file and return when it is durable; when this raises OSError nothing of it is left.

    It grows as ``unfinished``, on the same disk, and gets its name when it is complete.
    """
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        rename(unfinished, path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise


def rename(path: Path, target: Path) -> None:
    """Give a file another name, durably; needs no room on the disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)
    for folder in target.parents[:3]:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def tidy(folder: Path) -> None:
    """Remove what killed writers left unfinished: nobody was promised anything for it."""
    for file in folder.glob("*"):
        # Whoever tidies has better things to do next: one that stays is no harm.
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > _DAY:
                file.unlink()
