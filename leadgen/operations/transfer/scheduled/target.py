"""Checks of the target of a backup before it begins."""

import os
import tempfile
from pathlib import Path

from django.core.files.storage import FileSystemStorage, Storage

from leadgen.operations.transfer.errors import SchemaMismatchError

MOUNTS = Path("/proc/self/mountinfo")
_CONTAINER_FILES = (Path("/.dockerenv"), Path("/run/.containerenv"))
_IN_MEMORY = {"tmpfs", "ramfs"}


def refuse_unfit_folder(storage: Storage) -> None:
    """Raise SchemaMismatchError for a folder that is not writable or is lost with the container."""
    if not isinstance(storage, FileSystemStorage):
        return
    folder = Path(storage.location)
    if is_container() and file_system(folder) in _IN_MEMORY:
        raise SchemaMismatchError(
            f"BACKUP_URL: {folder} is in the memory of this container and is lost with it: set a"
            " volume, a mounted folder or s3://bucket/…."
        )
    _refuse_unwritable(folder)


def is_container() -> bool:
    """Tell whether this process runs in a container of Docker, Podman or Kubernetes."""
    return any(path.exists() for path in _CONTAINER_FILES) or bool(
        Path("/var/run/secrets/kubernetes.io").exists()
    )


def file_system(folder: Path) -> str:
    """Return the type of the file system of the folder, or of the one it would be created on."""
    path = str(folder.absolute())
    best = (-1, "")
    for line in MOUNTS.read_text(encoding="utf-8").splitlines():
        mounted, _, described = line.partition(" - ")
        point = mounted.split()[4].encode().decode("unicode_escape")
        if path == point or path.startswith(point.rstrip("/") + "/"):
            # Of two mounts on one folder the later one hides the earlier.
            best = max(best, (len(point), described.split()[0]), key=lambda each: each[0])
    return best[1]


def _refuse_unwritable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SchemaMismatchError(
            f"BACKUP_URL: {folder} cannot be written by user {os.geteuid()} ({error.strerror}):"
            f" make that user its owner (chown {os.geteuid()} on the host), or set another folder."
        ) from error
