"""The ledger's one way in: a row is committed before the visitor is told "thank you"."""

import enum
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from leadgen.capture.database import Database
from leadgen.lib.metrics import LEDGER_WRITE_SECONDS

TABLE = "capture_submission"


@dataclass(frozen=True, slots=True)
class Row:
    """A submission as the ledger keeps it; each attribute is a column of Submission's table."""

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


class Fate(enum.Enum):
    """What became of a row: written, or known already by its idempotency key."""

    STORED = "stored"
    REPEATED = "repeated"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fate of a row and the receipt that the ledger holds for it."""

    fate: Fate
    receipt: UUID


_JSON = {"raw", "answers", "context", "consents"}
COLUMNS = tuple(field.name for field in fields(Row))
# No conflict target: a statement sent twice over a broken connection meets its own primary key.
INSERT = (
    f"INSERT INTO {TABLE} ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))}) "  # noqa: S608
    "ON CONFLICT DO NOTHING RETURNING id"
)
FIND = (
    f"SELECT id, fingerprint FROM {TABLE} "  # noqa: S608 - no value is put in
    "WHERE id = %s OR (form_id = %s AND idempotency_key = %s)"
)


class Writer:
    """Writes one row with one statement and one commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, row: Row) -> Outcome:
        """Return once the row is durable or known already; raise DatabaseAwayError when neither."""
        with LEDGER_WRITE_SECONDS.time():
            if await self._database.fetch(INSERT, _values(row)):
                return Outcome(Fate.STORED, row.id)
            found = await self._database.fetch(FIND, [row.id, row.form_id, row.idempotency_key])
        receipt, fingerprint = found[0]
        if receipt == row.id:
            return Outcome(Fate.STORED, row.id)
        same = fingerprint == row.fingerprint
        return Outcome(Fate.REPEATED if same else Fate.CONFLICT, receipt)


def _values(row: Row) -> list[Any]:
    values = ((column, getattr(row, column)) for column in COLUMNS)
    return [Jsonb(value) if column in _JSON else value for column, value in values]
