"""Look-up of submissions by their idempotency keys."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leadgen.capture.ledger.record import TABLE

# An array instead of a prefix search: the unique index on (form, key) serves it in any collation,
# LIKE only in the collation C.
FIND_BY_KEYS = (
    "SELECT idempotency_key, id, fingerprint FROM "  # noqa: S608 - no value is put in
    f"{TABLE} WHERE form_id = %s AND idempotency_key = ANY(%s)"
)


@dataclass(frozen=True, slots=True)
class Known:
    """A submission in the ledger: its receipt and the fingerprint of its raw answers."""

    receipt: UUID
    fingerprint: str


KnownByKey = dict[str, Known]


def known_in(rows: Iterable[tuple[Any, ...]]) -> KnownByKey:
    """Return the rows of FIND_BY_KEYS by idempotency key."""
    return {key: Known(receipt, fingerprint) for key, receipt, fingerprint in rows}
