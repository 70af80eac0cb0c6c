"""Parts of a backup: compressed, encrypted in the age format, stored in one folder."""

import gzip
import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pyrage
from django.core.files.storage import Storage

from leadgen.operations.transfer import manifest, objects
from leadgen.operations.transfer.errors import DamagedError, KeyFaultError
from leadgen.operations.transfer.manifest import Manifest, Part

# Largest size of a part before compression, unless a single row or object is larger. Memory is
# bounded by a few parts, and no storage needs multipart uploads.
PART_BYTES = 16 << 20
_THREADS = 2
# Level 1 to 9; above 3 time doubles for a few per cent.
_COMPRESSION = 3


def recipients(keys: Iterable[str]) -> list[Any]:
    """Return the public keys to encrypt for; raise KeyFaultError for none or a wrong one."""
    try:
        parsed_keys = [pyrage.x25519.Recipient.from_str(key) for key in keys]
    except pyrage.RecipientError as error:
        raise KeyFaultError(f"BACKUP_RECIPIENTS must hold age1… keys: {error}") from error
    if not parsed_keys:
        raise KeyFaultError(
            "BACKUP_RECIPIENTS is empty: make a key pair with manage.py backup --make-key, set the"
            " public key there, and keep the secret key outside of this deployment."
        )
    return parsed_keys


def identity(key: str) -> Any:
    """Return the secret key to decrypt with; raise KeyFaultError."""
    try:
        return pyrage.x25519.Identity.from_str(key)
    except pyrage.IdentityError as error:
        raise KeyFaultError(f"BACKUP_IDENTITY must be an AGE-SECRET-KEY-…: {error}") from error


def make_key() -> tuple[str, str]:
    """Return a new secret key and its public one."""
    secret_key = pyrage.x25519.Identity.generate()
    return str(secret_key), str(secret_key.to_public())


class ArchiveWriter:
    """Writes the parts of one backup below its folder, two at a time."""

    def __init__(self, storage: Storage, folder: str, keys: list[Any]) -> None:
        self._storage = storage
        self._folder = folder
        self._keys = keys

    def stream(self, name: str, chunks: Iterable[bytes]) -> list[Part]:
        """Store each chunk as a part, numbered in their order."""
        parts: list[Part] = []
        waiting: deque[Future[Part]] = deque()
        with ThreadPoolExecutor(_THREADS) as threads:
            for number, chunk in enumerate(chunks, start=1):
                if len(waiting) == _THREADS:
                    parts.append(waiting.popleft().result())
                waiting.append(threads.submit(self._store, f"{name}/{number:05}.gz.age", chunk))
            return [*parts, *(future.result() for future in waiting)]

    def finish(self, summary: Manifest) -> None:
        """Write the manifest; a folder without one is not a backup."""
        path = f"{self._folder}/{manifest.NAME}"
        objects.put(self._storage, path, manifest.dump(summary))

    def _store(self, name: str, chunk: bytes) -> Part:
        stored = pyrage.encrypt(gzip.compress(chunk, _COMPRESSION, mtime=0), self._keys)
        objects.put(self._storage, f"{self._folder}/{name}", stored)
        return Part(name, len(stored), hashlib.sha256(stored).hexdigest())


class ArchiveReader:
    """Reads the parts of one backup, and refuses a changed part."""

    def __init__(self, storage: Storage, folder: str, key: Any) -> None:
        self._storage = storage
        self._folder = folder
        self._key = key

    def manifest(self) -> Manifest:
        """Return the manifest; raise DamagedError."""
        return manifest.load(self._fetch(manifest.NAME))

    def stream(self, parts: Iterable[Part]) -> Iterator[bytes]:
        """Yield the content of each part in order; raise DamagedError."""
        return map(self._open, parts)

    def _open(self, part: Part) -> bytes:
        stored = self._fetch(part.name)
        if hashlib.sha256(stored).hexdigest() != part.sha256:
            raise DamagedError(f"{part.name} was changed since the backup: its SHA-256 differs")
        try:
            return gzip.decompress(pyrage.decrypt(stored, [self._key]))
        except pyrage.DecryptError as error:
            raise DamagedError(
                f"{part.name} cannot be decrypted with this BACKUP_IDENTITY: {error}"
            ) from error

    def _fetch(self, name: str) -> bytes:
        try:
            with self._storage.open(f"{self._folder}/{name}") as stored:
                return bytes(stored.read())
        except FileNotFoundError as error:
            raise DamagedError(f"{self._folder}/{name} is missing") from error


def folders(storage: Storage) -> list[str]:
    """Return the names of the finished backups in a storage, oldest first."""
    try:
        names, _ = storage.listdir("")
    except FileNotFoundError:
        return []
    return [name for name in sorted(names) if storage.exists(f"{name}/{manifest.NAME}")]


def chunks(pieces: Iterable[Any]) -> Iterator[bytes]:
    """Join pieces to chunks of PART_BYTES at most; a chunk ends only between pieces."""
    chunk = bytearray()
    for piece in pieces:
        if chunk and len(chunk) + len(piece) > PART_BYTES:
            yield bytes(chunk)
            chunk.clear()
        chunk += piece
    if chunk:
        yield bytes(chunk)
