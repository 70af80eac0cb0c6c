"""Submission record of the ledger, and the SQL that inserts many records with one statement."""

import enum
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

TABLE = "capture_submission"

Found = tuple[UUID, int, str | None, str]
Texts = list[tuple[str | None, ...]]
"""Rows as PostgreSQL formats their values in text; None for NULL."""


class SubmissionRecord(msgspec.Struct, frozen=True):
    """A submission as stored in the ledger; each attribute is a column of Submission's table."""

    id: UUID
    form_id: int
    version_id: int
    raw: dict[str, Any]
    answers: dict[str, Any]
    context: dict[str, Any]
    consents: list[dict[str, Any]]
    idempotency_key: str | None
    fingerprint: str
    state: str
    reasons: list[str]
    submitted_at: datetime | None
    received_at: datetime
    attempts: int = 0
    last_error: str = ""

    @property
    def key(self) -> tuple[int, str | None]:
        """The unique key of the row, unless the idempotency key is None."""
        return self.form_id, self.idempotency_key

    @property
    def lock_order(self) -> tuple[int, str]:
        """The sort key of a batch: two statements lock equal keys in the same order."""
        return self.form_id, self.idempotency_key or ""


class WriteStatus(enum.Enum):
    """Result of a write: inserted, key known with same or other content, spooled."""

    STORED = "stored"
    REPEATED = "repeated"
    CONFLICT = "conflict"
    SPOOLED = "spooled"


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The status of a row and the receipt under which the ledger has, or will have, it."""

    status: WriteStatus
    receipt: UUID


_TYPES = {
    "id": "uuid",
    "form_id": "bigint",
    "version_id": "bigint",
    "raw": "jsonb",
    "answers": "jsonb",
    "context": "jsonb",
    "consents": "jsonb",
    "idempotency_key": "text",
    "fingerprint": "text",
    "state": "text",
    "reasons": "text[]",
    "submitted_at": "timestamptz",
    "received_at": "timestamptz",
    "attempts": "smallint",
    "last_error": "text",
}
COLUMNS = tuple(_TYPES)
_NAMES = ", ".join(COLUMNS)
_TYPED = ", ".join(f"{name} {kind}" for name, kind in _TYPES.items())
# The columns of an erased submission that hold what a person sent (ADR 0030).
TOMBSTONE: dict[str, Any] = {
    "raw": {},
    "answers": {},
    "context": {},
    "idempotency_key": None,
    "fingerprint": "",
    "state": "erased",
    "last_error": "",
}
_CONSENT_KEYS = ("field", "given", "wording", "wording_hash", "at")
# One parameter for any number of rows. No conflict target: a statement sent again after a broken
# connection conflicts with its own primary keys.
INSERT = (
    f"INSERT INTO {TABLE} ({_NAMES}) "  # noqa: S608 - no value is put in
    f"SELECT {_NAMES} FROM jsonb_to_recordset(%s::jsonb) AS sent({_TYPED}) "
    "ON CONFLICT DO NOTHING RETURNING id"
)
# Two look-ups: with an OR PostgreSQL would scan the whole table.
FIND = (
    "WITH requested AS (SELECT * FROM jsonb_to_recordset(%s::jsonb) AS "  # noqa: S608
    "sent(id uuid, form_id bigint, idempotency_key text)) "
    f"SELECT l.id, l.form_id, l.idempotency_key, l.fingerprint FROM {TABLE} l "
    "JOIN requested ON l.id = requested.id UNION ALL "
    f"SELECT l.id, l.form_id, l.idempotency_key, l.fingerprint FROM {TABLE} l "
    "JOIN requested ON l.form_id = requested.form_id "
    "AND l.idempotency_key = requested.idempotency_key"
)


def tombstone(row: SubmissionRecord) -> SubmissionRecord:
    """Return the row without personal data: receipt, form, version, times, consents given."""
    return msgspec.structs.replace(
        row,
        **TOMBSTONE,
        consents=without_extras(row.consents),
        reasons=[],
    )


def without_extras(consents: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return consents with the keys of capture.consents only: they name no person."""
    return [{key: each[key] for key in _CONSENT_KEYS if key in each} for each in consents]


def encode(row: SubmissionRecord) -> str:
    """Return the row as JSON; raise ValueError for text that UTF-8 cannot hold."""
    return msgspec.json.encode(row).decode()


def joined(encoded: Iterable[str]) -> str:
    """Return the one value of INSERT for these encoded rows."""
    return f"[{','.join(encoded)}]"


def undecided_rows(
    rows: Sequence[SubmissionRecord], inserted: Collection[UUID]
) -> list[SubmissionRecord]:
    """Return the rows that were not inserted and equal no row inserted with them."""
    keys = {row.key for row in rows if row.id in inserted and row.idempotency_key}
    return [row for row in rows if row.id not in inserted and row.key not in keys]


def find_value(rows: Iterable[SubmissionRecord]) -> str:
    """Return the one value of FIND for these rows."""
    keys = [(row.id, row.form_id, row.idempotency_key) for row in rows]
    names = ("id", "form_id", "idempotency_key")
    return msgspec.json.encode([dict(zip(names, each, strict=True)) for each in keys]).decode()


def receipts_in(texts: Texts) -> set[UUID]:
    """Parse the rows returned by INSERT."""
    return {receipt for (receipt,) in msgspec.convert(texts, list[tuple[UUID]])}


def found_in(texts: Texts) -> list[Found]:
    """Parse the rows returned by FIND."""
    return msgspec.convert(texts, list[Found], strict=False)


def outcomes(
    rows: Sequence[SubmissionRecord], inserted: Collection[UUID], found: Iterable[Found]
) -> list[WriteResult]:
    """Return the result of each row, in order: of equal keys the ledger's row wins, then the first.

    Raise KeyError for a row that was neither inserted nor found.
    """
    stored = [*found, *((row.id, *row.key, row.fingerprint) for row in rows if row.id in inserted)]
    ids = {receipt for receipt, *_ in stored}
    by_key = {(form, key): (receipt, digest) for receipt, form, key, digest in stored if key}
    return [_outcome(row, ids, by_key) for row in rows]


def _outcome(
    row: SubmissionRecord, ids: Collection[UUID], by_key: Mapping[Any, tuple[UUID, str]]
) -> WriteResult:
    if row.id in ids:
        return WriteResult(WriteStatus.STORED, row.id)
    receipt, fingerprint = by_key[row.key]
    return WriteResult(
        WriteStatus.REPEATED if fingerprint == row.fingerprint else WriteStatus.CONFLICT, receipt
    )
