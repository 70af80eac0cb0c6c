"""Erasure of a person's submissions to tombstones: receipt, form, version, times, consents given.

The balance holds: a tombstone stays in the ledger in the state ``erased``, on its lead if it was on
one. Idempotency key and fingerprint go too, because both can be derived from what was sent.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from uuid import UUID

from django.db import transaction

from leadgen.capture.ledger.record import TOMBSTONE, without_extras
from leadgen.capture.models import Submission
from leadgen.capture.spool.replay import Matches
from leadgen.events.services import Fact, emit_many
from leadgen.lib import bulk

# Rows of one transaction: their locks last well under a second.
_ROWS = 500


def find_on_no_lead(is_theirs: Matches) -> list[UUID]:
    """Return the person's submissions that wait, are in review or parked: one pass over these."""
    rows = Submission.objects
    keys = set[UUID]()
    for part in (rows.waiting(), rows.quarantined(), rows.parked()):
        for row in part.order_by().only("version_id", "answers").iterator(chunk_size=_ROWS):
            if isinstance(row.answers, dict) and is_theirs(row.version_id, row.answers):
                keys.add(row.pk)
    return sorted(keys)


def erase_submissions(keys: Sequence[UUID]) -> int:
    """Turn submissions into tombstones; emit submission.erased for each; return their number.

    Each batch is one transaction, an erased submission stays unchanged: a second call continues
    where a killed one ended.
    """
    return sum(_erase(part) for part in _parts(keys))


@transaction.atomic
def _erase(keys: Sequence[UUID]) -> int:
    # Waits for intake, which skips locked rows: a row is on its lead or stays away from intake.
    rows = Submission.objects.select_for_update().exclude(state=Submission.State.ERASED)
    erased = list(rows.only("consents").filter(pk__in=keys).order_by("pk"))
    for row in erased:
        row.consents = without_extras(row.consents)
    bulk.update(erased, ["consents"])
    Submission.objects.filter(pk__in=[row.pk for row in erased]).update(
        **TOMBSTONE, parked_at=None, next_at=None
    )
    emit_many([Fact("submission.erased", row) for row in erased])
    return len(erased)


def _parts(keys: Sequence[UUID]) -> Iterator[list[UUID]]:
    left = iter(keys)
    while part := list(islice(left, _ROWS)):
        yield part
