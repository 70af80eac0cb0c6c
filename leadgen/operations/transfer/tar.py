"""Tar archives of objects, each about as large as one part of a backup."""

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from django.core.files.storage import Storage

from leadgen.operations.transfer import objects
from leadgen.operations.transfer.archive import PART_BYTES
from leadgen.operations.transfer.manifest import ManifestEntry


class TarPacker:
    """Packs objects of one storage; ``entries`` are the packed ones by name."""

    def __init__(self, source: Storage) -> None:
        self._source = source
        self.entries: dict[str, ManifestEntry] = {}

    def archives(self, names: Iterable[str]) -> Iterator[bytes]:
        """Yield tar archives of these objects; objects deleted meanwhile are left out."""
        archive = _Archive()
        for entry, content in self._read(names):
            if archive.size and archive.size + entry.size > PART_BYTES:
                yield archive.close()
                archive = _Archive()
            archive.add(entry.name, content)
            self.entries[entry.name] = entry
        if archive.size:
            yield archive.close()

    def _read(self, names: Iterable[str]) -> Iterator[tuple[ManifestEntry, bytes]]:
        queue = iter(names)
        with ThreadPoolExecutor(objects.THREADS) as threads:
            while batch := list(islice(queue, objects.THREADS)):
                yield from filter(None, threads.map(self._read_one, batch))

    def _read_one(self, name: str) -> tuple[ManifestEntry, bytes] | None:
        try:
            return objects.read(self._source, name)
        except FileNotFoundError:
            return None


class _Archive:
    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._tar = tarfile.TarFile(fileobj=self._buffer, mode="w", format=tarfile.PAX_FORMAT)

    @property
    def size(self) -> int:
        return self._buffer.tell()

    def add(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        self._tar.addfile(member, io.BytesIO(content))

    def close(self) -> bytes:
        self._tar.close()
        return self._buffer.getvalue()


def members(archive: bytes) -> Iterator[tuple[ManifestEntry, bytes]]:
    """Yield the objects of an archive, each with an entry computed from its content."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            stored = tar.extractfile(member)
            content = stored.read() if stored else b""
            yield (
                ManifestEntry(member.name, len(content), hashlib.sha256(content).hexdigest()),
                content,
            )
