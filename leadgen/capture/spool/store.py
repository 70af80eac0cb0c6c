"""Spool: submissions as objects in the configured storage, while the ledger is unavailable."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from leadgen.capture.ledger.record import SubmissionRecord
from leadgen.capture.spool import local_files

logger = logging.getLogger("leadgen.capture")

FOLDER = "spool"
PARKED = f"{FOLDER}/parked"
UNFINISHED = f"{FOLDER}/unfinished"
VERSION = 1
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class UnreadableError(Exception):
    """An object is not a spooled submission; the message gives the reason."""


class UnavailableError(Exception):
    """The storage cannot be listed, so nothing is known about the spool."""


@dataclass(frozen=True, slots=True)
class Depth:
    """Number of waiting submissions, the time of the oldest, and the number of parked objects."""

    waiting: int
    oldest: datetime | None
    parked: int


def pack(row: SubmissionRecord) -> bytes:
    """Return the object's content: every column, and the version of the layout."""
    return msgspec.json.encode({"version": VERSION, "row": row})


def unpack(content: bytes) -> SubmissionRecord:
    """Return the row of an object; raise UnreadableError."""
    try:
        document: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])
        if document.get("version") != VERSION:
            raise UnreadableError(f"version {document.get('version')!r} is not known here")
        return msgspec.convert(document.get("row"), SubmissionRecord)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise UnreadableError(str(error)) from error


def prepare() -> None:
    """Create the storage client ahead of the first write: credentials, bucket, connection.

    All threads share the bucket object: eight threads that created one each at once took four
    seconds. When the storage is unavailable, only log a warning.
    """
    try:
        if folder := local_files.path_of(FOLDER):
            local_files.restrict(folder)
        getattr(default_storage, "bucket", None)
        default_storage.exists(f"{FOLDER}/prepare")
    except Exception as error:  # each storage has errors of its own
        logger.warning("storage unavailable: %s", type(error).__name__)


def store(row: SubmissionRecord) -> None:
    """Write the row's object and return when it is durable; raise what the storage raises.

    The write is atomic: a reader never finds a part of an object.
    """
    name = f"{FOLDER}/{row.received_at.astimezone(UTC):%Y-%m-%d}/{row.id}.json"
    path, unfinished = local_files.path_of(name), local_files.path_of(f"{UNFINISHED}/{row.id}")
    if path and unfinished:
        local_files.write(path, pack(row), unfinished)
    else:
        # Not save(): it first checks whether the name is free, which a receipt always is, over a
        # client that each thread would have to create.
        default_storage._save(name, ContentFile(pack(row)))  # type: ignore[attr-defined]


def waiting() -> Iterator[str]:
    """Yield the names of all spooled objects in the order of their receipts."""
    days, _ = _listing(FOLDER)
    for day in sorted(filter(_DAY.fullmatch, days)):
        for name in sorted(_listing(f"{FOLDER}/{day}")[1]):
            yield f"{FOLDER}/{day}/{name}"


def all_names() -> list[str]:
    """Return the names of all waiting and parked objects; raise UnavailableError."""
    try:
        parked = sorted(_listing(PARKED)[1])
        return [*waiting(), *(f"{PARKED}/{name}" for name in parked)]
    except Exception as error:  # each storage has errors of its own
        raise UnavailableError(f"storage unavailable: {type(error).__name__}") from error


def read(name: str) -> bytes:
    """Return an object's content; raise FileNotFoundError when it is gone."""
    with default_storage.open(name) as stored:
        return bytes(stored.read())


def park(name: str, content: bytes) -> None:
    """Move an object to spool/parked (dead-lettered), for a person to decide."""
    parked = f"{PARKED}/{name.rpartition('/')[2]}"
    path, target = local_files.path_of(name), local_files.path_of(parked)
    if path and target:
        local_files.rename(path, target)
    else:
        default_storage.save(parked, ContentFile(content))
        default_storage.delete(name)


def tidy() -> None:
    """Delete files that killed processes left unfinished on a local disk."""
    if folder := local_files.path_of(UNFINISHED):
        local_files.tidy(folder)


def depth() -> Depth:
    """Return the depth of the spool, from the names of its objects alone."""
    names = list(waiting())
    oldest = min(filter(None, map(received_at, names)), default=None)
    return Depth(len(names), oldest, len(_listing(PARKED)[1]))


def received_at(name: str) -> datetime | None:
    """Return the time of receipt, from the UUIDv7 in the object's name; None without one."""
    try:
        milliseconds = UUID(name.rpartition("/")[2][:36]).int >> 80
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _listing(folder: str) -> tuple[list[str], list[str]]:
    try:
        return default_storage.listdir(folder)
    except FileNotFoundError:
        return [], []
