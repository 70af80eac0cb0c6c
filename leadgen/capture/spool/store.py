"""Submissions as objects in the configured storage, while the ledger cannot be written."""

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
    """An object is no spooled submission; the message says why."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How many submissions wait in the spool, since when, and how many were parked there."""

    waiting: int
    oldest: datetime | None
    parked: int


def pack(row: SubmissionRecord) -> bytes:
    """Return the object's content: every column, and the version of this layout."""
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
    """Do once what the first write would else wait for: a client, credentials, a connection.

    All threads share the bucket that is made here; eight of them would else make eight at once,
    which took four seconds. With the storage away this does nothing.
    """
    try:
        getattr(default_storage, "bucket", None)
        default_storage.exists(f"{FOLDER}/prepare")
    except Exception as error:  # each storage has errors of its own
        logger.warning("the storage does not answer: %s", type(error).__name__)


def store(row: SubmissionRecord) -> None:
    """Write the row's object and return when it is durable; raises what the storage raises.

    It is there as a whole or not at all, so nobody reads half of one.
    """
    name = f"{FOLDER}/{row.received_at.astimezone(UTC):%Y-%m-%d}/{row.id}.json"
    path, unfinished = local_files.path_of(name), local_files.path_of(f"{UNFINISHED}/{row.id}")
    if path and unfinished:
        local_files.write(path, pack(row), unfinished)
    else:
        # Not save(): it asks first whether the name is free, which a receipt always is, and does so
        # over a client that each thread has to make.
        default_storage._save(name, ContentFile(pack(row)))  # type: ignore[attr-defined]


def waiting() -> Iterator[str]:
    """Yield the names of all spooled objects in the order of their receipts."""
    days, _ = _listing(FOLDER)
    for day in sorted(filter(_DAY.fullmatch, days)):
        for name in sorted(_listing(f"{FOLDER}/{day}")[1]):
            yield f"{FOLDER}/{day}/{name}"


def read(name: str) -> bytes:
    """Return an object's content; raises FileNotFoundError when it is gone."""
    with default_storage.open(name) as stored:
        return bytes(stored.read())


def park(name: str, content: bytes) -> None:
    """Move an object to where a person looks at it."""
    parked = f"{PARKED}/{name.rpartition('/')[2]}"
    path, target = local_files.path_of(name), local_files.path_of(parked)
    if path and target:
        local_files.rename(path, target)
    else:
        default_storage.save(parked, ContentFile(content))
        default_storage.delete(name)


def tidy() -> None:
    """Remove what killed processes left unfinished on a disk of ours."""
    if folder := local_files.path_of(UNFINISHED):
        local_files.tidy(folder)


def depth() -> Depth:
    """Measure the spool by its names alone."""
    names = list(waiting())
    oldest = min(filter(None, map(received_at, names)), default=None)
    return Depth(len(names), oldest, len(_listing(PARKED)[1]))


def received_at(name: str) -> datetime | None:
    """Return when the submission of this name was received, as its receipt tells."""
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
