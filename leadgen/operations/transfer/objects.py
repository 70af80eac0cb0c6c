"""Objects of a storage, walked, measured and copied with their exact names."""

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
# Objects that come and go by themselves: what the health check and a doctor write, and what is
# being written to the spool, or was when its writer was killed.
_PASSING = {"health", store.UNFINISHED}


def names(storage: Storage, folder: str = "", *, spooled: bool) -> Iterator[str]:
    """Yield the names of all objects, folder by folder; those of the spool only if asked for."""
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    prefix = f"{folder}/" if folder else ""
    yield from (f"{prefix}{name}" for name in sorted(filter(None, files)))
    for name in sorted(filter(None, folders)):
        path = f"{prefix}{name}"
        if path not in _PASSING and (spooled or path != store.FOLDER):
            yield from names(storage, path, spooled=spooled)


def is_within(storage: Any, other: Any) -> bool:
    """Whether what is written to the storage is among the other's objects too."""
    inner, outer = _place(storage), _place(other)
    return inner[: len(outer)] == outer


def _place(storage: Any) -> list[str]:
    where = [str(getattr(storage, name, None)) for name in ("endpoint_url", "bucket_name")]
    return [*where, *filter(None, str(storage.location).split("/"))]


def read(storage: Storage, name: str) -> tuple[ManifestEntry, bytes]:
    """Return an object whole: what takes uploads bounds them. FileNotFoundError when it is gone."""
    with storage.open(name) as stored:
        try:
            content = bytes(stored.read())
        except Exception as error:
            # One that goes between opening and reading is told of by each storage in its own way.
            if storage.exists(name):
                raise
            raise FileNotFoundError(name) from error
    return ManifestEntry(name, len(content), hashlib.sha256(content).hexdigest()), content


def put(storage: Storage, name: str, content: bytes) -> None:
    """Write an object under exactly this name; raise DifferentError when that is taken."""
    saved = storage.save(name, ContentFile(content))
    if saved != name:
        storage.delete(saved)
        raise VerificationError(f"{name} is there already")


def copy(source: Storage, target: Storage, name: str) -> ManifestEntry | None:
    """Copy one object and read it back; None when it is gone from the source.

    Raise DifferentError when the copy is not the same.
    """
    try:
        entry, content = read(source, name)
    except FileNotFoundError:
        return None
    put(target, name, content)
    try:
        arrived = read(target, name)[0]
    except FileNotFoundError:
        # The new deployment has replayed it already; whoever finishes looks for it in the ledger.
        if name.startswith(f"{store.FOLDER}/"):
            return entry
        raise VerificationError(f"{name} did not arrive") from None
    if arrived != entry:
        raise VerificationError(f"{name} arrived with other content")
    return entry


def copy_all(source: Storage, target: Storage, wanted: Iterable[str]) -> Iterator[ManifestEntry]:
    """Copy these objects, several at a time, and yield what each holds."""
    with ThreadPoolExecutor(THREADS) as threads:
        queue = iter(wanted)
        while batch := list(islice(queue, 100)):
            copied = threads.map(lambda name: copy(source, target, name), batch)
            yield from filter(None, copied)
