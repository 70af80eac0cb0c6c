"""Atomic, durable file writes, for a storage on a local disk.

Only the process's own user may read the files and folders: they hold leads in plain text.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

from django.core.files.storage import default_storage

_DAY = 24 * 3600
_FILE_MODE, _FOLDER_MODE = 0o600, 0o700


def path_of(name: str) -> Path | None:
    """Return the path of the object; None when the storage is not a local disk."""
    try:
        return Path(default_storage.path(name))
    except NotImplementedError:
        return None


def write(path: Path, content: bytes, unfinished: Path) -> None:
    """Write a file and return when it is durable; raise OSError and leave no part of it.

    The content is written to ``unfinished``, on the same disk, which is renamed when complete.
    """
    make_private(unfinished.parent)
    try:
        with open(unfinished, "wb", opener=_private) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        rename(unfinished, path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise


def rename(path: Path, target: Path) -> None:
    """Rename a file durably (fsync of its folders); needs no free space on the disk."""
    make_private(target.parent)
    path.replace(target)
    for folder in target.parents[:3]:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def make_private(folder: Path) -> None:
    """Create the folder and the folders above it, each for the process's own user only."""
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir(mode=_FOLDER_MODE, exist_ok=True)


def restrict(folder: Path) -> None:
    """Take the rights of others from a folder that an earlier release has created."""
    with suppress(OSError):
        folder.chmod(_FOLDER_MODE)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, _FILE_MODE)


def tidy(folder: Path) -> None:
    """Delete files that killed writers left unfinished a day ago; none was acknowledged."""
    for file in folder.glob("*"):
        # A file that cannot be deleted must not stop the replay, which calls this first.
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > _DAY:
                file.unlink()
