"""Objects of a storage: list, read, write and copy under their exact names."""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage

from leadgen.capture.spool import store
from leadgen.operations.transfer.errors import VerificationError
from leadgen.operations.transfer.manifest import ManifestEntry

THREADS = 8
# Temporary objects: those of the health check and doctor, and unfinished spool objects.
_TRANSIENT = {"health", store.UNFINISHED}


def names(storage: Storage, folder: str = "", *, spooled: bool) -> Iterator[str]:
    """Yield the names of all objects by folder; those of the spool only with ``spooled``."""
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    prefix = f"{folder}/" if folder else ""
    yield from (f"{prefix}{name}" for name in sorted(filter(None, files)))
    for name in sorted(filter(None, folders)):
        path = f"{prefix}{name}"
        if path not in _TRANSIENT and (spooled or path != store.FOLDER):
            yield from names(storage, path, spooled=spooled)


def is_within(storage: Any, other: Any) -> bool:
    """Tell whether the first storage is the second one or a folder inside it."""
    inner, outer = _place(storage), _place(other)
    return inner[: len(outer)] == outer


def _place(storage: Any) -> list[str]:
    where = [str(getattr(storage, name, None)) for name in ("endpoint_url", "bucket_name")]
    return [*where, *filter(None, str(storage.location).split("/"))]


def read(storage: Storage, name: str) -> tuple[ManifestEntry, bytes]:
    """Return an object as a whole (uploads are bounded); raise FileNotFoundError."""
    with storage.open(name) as stored:
        try:
            content = bytes(stored.read())
        except Exception as error:
            # Each storage raises another error for an object deleted between open and read.
            if storage.exists(name):
                raise
            raise FileNotFoundError(name) from error
    return ManifestEntry(name, len(content), hashlib.sha256(content).hexdigest()), content


def put(storage: Storage, name: str, content: bytes) -> None:
    """Write an object under exactly this name; raise VerificationError when it exists."""
    saved = storage.save(name, ContentFile(content))
    if saved != name:
        storage.delete(saved)
        raise VerificationError(f"{name} exists already")


def copy(source: Storage, target: Storage, name: str) -> ManifestEntry | None:
    """Copy one object and read it back; return None when the source has deleted it.

    Raise VerificationError when the copy differs.
    """
    try:
        entry, content = read(source, name)
    except FileNotFoundError:
        return None
    put(target, name, content)
    try:
        copied = read(target, name)[0]
    except FileNotFoundError:
        # The new deployment has replayed it already; verify_spool looks for it in the ledger.
        if name.startswith(f"{store.FOLDER}/"):
            return entry
        raise VerificationError(f"{name} is missing in the target") from None
    if copied != entry:
        raise VerificationError(f"{name} was copied with other content")
    return entry


def copy_all(source: Storage, target: Storage, wanted: Iterable[str]) -> Iterator[ManifestEntry]:
    """Copy these objects in parallel, and yield the entry of each."""
    with ThreadPoolExecutor(THREADS) as threads:
        queue = iter(wanted)
        while batch := list(islice(queue, 100)):
            copied = threads.map(lambda name: copy(source, target, name), batch)
            yield from filter(None, copied)
