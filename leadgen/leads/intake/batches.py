"""From the ledger to leads: take what waits in batches, and set aside what cannot be worked."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self, TypeVar
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import Error, connection, models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from leadgen.capture.models import Submission
from leadgen.events.services import emit
from leadgen.leads.intake import items
from leadgen.leads.intake.contacts import OvertakenError
from leadgen.leads.intake.items import IntakeItem
from leadgen.leads.intake.ordering import Batch, BatchOrdering
from leadgen.leads.intake.writing import write_leads
from leadgen.lib.telemetry import metrics, tracing
from leadgen.lib.transactions import set_idle_timeout

MAX_ATTEMPTS = 5
MAX_PARALLEL = 4
SILENCE = "60s"
_SLOT_KEY = 0x1EAD
_BACK_OFF_SECONDS = 10
_PAUSE_SECONDS = 30
_READ = ("version_id", "answers", "context", "received_at", "attempts")
# Classes of SQLSTATE that tell of the server or its schema and never of a row: connection,
# read-only, deadlock, a table or column to come, resources, locks, shutdown or time-out, disk.
_PASSING = ("08", "25", "40", "42", "53", "55", "57", "58")

_Item = TypeVar("_Item", Submission, IntakeItem)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """How many submissions went onto a lead, will be tried again, or were parked.

    ``reached`` is when the last of a full batch was received: more may wait behind it.
    """

    processed: int = 0
    failed: int = 0
    parked: int = 0
    reached: datetime | None = field(default=None, compare=False)

    @property
    def rows(self) -> int:
        return self.processed + self.failed + self.parked

    def __add__(self, other: Self) -> "BatchOutcome":
        return BatchOutcome(
            self.processed + other.processed,
            self.failed + other.failed,
            self.parked + other.parked,
            self.reached or other.reached,
        )


def drain(limit: int | None = None, *, lanes: int | None = None) -> BatchOutcome:
    """Work batches until nothing is due; return what came of all together."""
    return sum(run_batches(limit, lanes=lanes), BatchOutcome())


def run_batches(
    limit: int | None = None, *, lanes: int | None = None, abreast: BatchOrdering | None = None
) -> Iterator[BatchOutcome]:
    """Work batches of at most ``limit`` rows until nothing is due, and yield each one's outcome.

    Any number may run at once, in any processes and threads. With ``lanes`` at most that many
    batches run in the whole deployment: one that finds no free lane leaves the rows to those that
    run. Those of one process share ``abreast``.
    """
    size, abreast = limit or settings.INTAKE_BATCH_ROWS, abreast or BatchOrdering()
    outcome = BatchOutcome()
    while True:
        # What came late with an earlier time, such as from the spool, is seen by a last look.
        since = outcome.reached
        outcome = _work_batch(size, lanes, since, abreast)
        yield outcome
        if not (outcome.rows or since):
            return


def _work_batch(
    limit: int, lanes: int | None, since: datetime | None, abreast: BatchOrdering
) -> BatchOutcome:
    with abreast.batch() as batch:
        outcome, later = _work_claimed(limit, lanes, since, abreast, batch)
        if later:
            batch.wait()
            outcome += _work_later(later)
    _count(outcome)
    return outcome


def _work_claimed(
    limit: int, lanes: int | None, since: datetime | None, abreast: BatchOrdering, batch: Batch
) -> tuple[BatchOutcome, list[UUID]]:
    """Return what came of the batch, and the rows whose persons are another batch's for now."""
    with transaction.atomic():
        set_idle_timeout(SILENCE)
        if lanes is not None and not _acquire_slot(lanes):
            return BatchOutcome(), []
        with abreast.turn:
            rows = _claim(limit, since)
            ready, outcome = _read(rows)
            now, later = abreast.split(batch, ready)
        outcome += _work(now)
    reached = rows[-1].received_at if len(rows) == limit else None
    return replace(outcome, reached=reached), [entry.submission.pk for entry in later]


def _work_later(receipts: Sequence[UUID]) -> BatchOutcome:
    # In a transaction of its own: whoever waits for another batch must hold no locks, and each
    # transaction takes them in one order.
    with transaction.atomic():
        set_idle_timeout(SILENCE)
        ready, outcome = _read(_held(_due().filter(pk__in=receipts)))
        return outcome + _work(ready)


def _acquire_slot(lanes: int) -> bool:
    # Held until the batch commits, so a killed process frees its lane by dying.
    with connection.cursor() as cursor:
        for lane in range(lanes):
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_SLOT_KEY, lane])
            if cursor.fetchone() == (True,):
                return True
    return False


def _claim(limit: int, since: datetime | None) -> list[Submission]:
    rows = _due()
    if since:
        # Until a vacuum the index still holds the rows that were worked: begin behind them.
        rows = rows.filter(received_at__gte=since)
    return _held(rows[:limit])


def _due() -> models.QuerySet[Submission]:
    due = models.Q(next_at=None) | models.Q(next_at__lte=Now())
    return Submission.objects.waiting().filter(due).order_by("received_at", "id")


def _held(rows: models.QuerySet[Submission]) -> list[Submission]:
    return list(rows.only(*_READ).select_for_update(skip_locked=True))


def _read(rows: Sequence[Submission]) -> tuple[list[IntakeItem], BatchOutcome]:
    """Return the rows as entries, and what came of those that cannot be read."""
    found: list[IntakeItem] = []

    def read(some: Sequence[Submission]) -> BatchOutcome:
        found.extend(items.read(some))
        return BatchOutcome()

    return found, _halving(rows, read)


def _work(batch: Sequence[IntakeItem]) -> BatchOutcome:
    def work(some: Sequence[IntakeItem]) -> BatchOutcome:
        write_leads(some)
        return BatchOutcome(processed=len(some))

    if not batch:
        return BatchOutcome()
    parents = (entry.submission.context.get("trace", "") for entry in batch)
    with tracing.batch(parents), metrics.INTAKE_SECONDS.time():
        return _halving(batch, work)


def _halving(items: Sequence[_Item], do: Callable[[Sequence[_Item]], BatchOutcome]) -> BatchOutcome:
    """Do it for all together; halve them on failure until the one that cannot be is alone."""
    if not items:
        return BatchOutcome()
    try:
        with transaction.atomic():
            return do(items)
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        if len(items) == 1:
            (item,) = items
            return _set_aside(item.submission if isinstance(item, IntakeItem) else item, error)
        middle = len(items) // 2
        return _halving(items[:middle], do) + _halving(items[middle:], do)


def _set_aside(row: Submission, error: Exception) -> BatchOutcome:
    """Note the failure; try again after 20, 40, 80 and 160 seconds, then park it for people.

    A fault that passes by itself costs no attempt, however long it lasts. A lost database
    connection fails here too and so leaves the batch as it was.
    """
    passing = _passes(error)
    row.attempts += not passing
    row.last_error = _first_line(error)
    wait = _PAUSE_SECONDS if passing else _BACK_OFF_SECONDS * 2**row.attempts
    row.next_at = Now() + timedelta(seconds=wait)  # _claim asks the same clock
    parks = row.attempts >= MAX_ATTEMPTS
    if parks:
        row.parked_at, row.next_at = timezone.now(), None
        emit("submission.parked", row, data={"error": type(error).__name__})
    row.save(update_fields=["attempts", "last_error", "next_at", "parked_at"])
    told = {"receipt": str(row.pk), "error": type(error).__name__, "attempts": row.attempts}
    log.warning("submission parked" if parks else "submission failed", extra=told)
    return BatchOutcome(parked=1) if parks else BatchOutcome(failed=1)


def _passes(error: Exception) -> bool:
    """Tell whether the fault is none of the row's: the same row may well be worked later."""
    if isinstance(error, Error):
        return str(getattr(error.__cause__, "sqlstate", None) or "").startswith(_PASSING)
    return isinstance(error, OvertakenError)


def _first_line(error: Exception) -> str:
    # PostgreSQL's further lines quote values: they belong to the answers, not to an error.
    line = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {line}"[:500].replace("\0", "")


def _count(outcome: BatchOutcome) -> None:
    metrics.INTAKE_ROWS.labels("processed").inc(outcome.processed)
    metrics.INTAKE_ROWS.labels("failed").inc(outcome.failed)
    metrics.INTAKE_ROWS.labels("parked").inc(outcome.parked)
