"""What a backup says about itself: enough to check it without the key, and to prove a restore."""

from datetime import datetime
from typing import Any

import msgspec

from leadgen.operations.transfer.errors import DamagedError

FORMAT = 1
NAME = "manifest.json"


class Part(msgspec.Struct, frozen=True):
    """One stored object of a backup: its name, its size in bytes and the SHA-256 of them."""

    name: str
    size: int
    sha256: str


class TableParts(msgspec.Struct, frozen=True):
    """A table's columns, its content as tables.content measures it, and where its rows are."""

    name: str
    columns: tuple[str, ...]
    rows: int
    checksum: str
    parts: list[Part]


class ManifestEntry(msgspec.Struct, frozen=True, order=True):
    """An object of the storage. Names may tell of people, so entries are kept encrypted."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """Written last: a folder without one is no backup."""

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
        """Everything stored but the manifest itself."""
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
