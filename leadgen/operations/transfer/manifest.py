"""Manifest of a backup: sizes and checksums to verify it without the key and after a restore."""

from datetime import datetime
from typing import Any

import msgspec

from leadgen.operations.transfer.errors import DamagedError

FORMAT = 1
NAME = "manifest.json"


class Part(msgspec.Struct, frozen=True):
    """Stored object of a backup: its name, size in bytes and SHA-256."""

    name: str
    size: int
    sha256: str


class TableParts(msgspec.Struct, frozen=True):
    """Columns of a table, its content by tables.content, and the parts with its rows."""

    name: str
    columns: tuple[str, ...]
    rows: int
    checksum: str
    parts: list[Part]


class ManifestEntry(msgspec.Struct, frozen=True, order=True):
    """Object of the storage. Names can be personal data, so entries are stored encrypted."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """Manifest, written last: a folder without one is not a backup."""

    version: str
    at: datetime
    migrations: list[tuple[str, str]]
    tables: list[TableParts]
    sequences: dict[str, tuple[int, bool]]
    objects: int
    objects_size: int
    contents: list[Part]
    index: list[Part]
    format: int = FORMAT

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def parts(self) -> list[Part]:
        """All stored objects except the manifest itself."""
        return [
            *(part for table in self.tables for part in table.parts),
            *self.contents,
            *self.index,
        ]

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)


def dump(manifest: Manifest) -> bytes:
    """Return the manifest as JSON for people and machines."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1)


def load(content: bytes) -> Manifest:
    """Return the manifest; raise DamagedError."""
    try:
        document: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])
        if document.get("format") != FORMAT:
            raise DamagedError(f"format {document.get('format')!r} is not known to this version")
        return msgspec.convert(document, Manifest)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise DamagedError(f"{NAME} cannot be read: {error}") from error
