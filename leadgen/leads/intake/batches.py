"""Batches of intake: claim waiting submissions with SKIP LOCKED, write their leads, park failures.

A batch that fails is halved until the failing row is alone; that row is retried with exponential
back-off and parked (dead-lettered) after MAX_ATTEMPTS.
"""

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
from leadgen.leads import metrics
from leadgen.leads.intake.contacts import OvertakenError
from leadgen.leads.intake.items import IntakeItem, read_items
from leadgen.leads.intake.ordering import Batch, BatchOrdering
from leadgen.leads.intake.writing import write_leads
from leadgen.lib.telemetry import tracing
from leadgen.lib.transactions import set_idle_timeout

MAX_ATTEMPTS = 5
IDLE_TIMEOUT = "60s"
_SLOT_KEY = 0x1EAD
_ACQUIRE_SLOT = (
    "SELECT slot FROM generate_series(0, %s) AS slot"
    " WHERE pg_try_advisory_xact_lock(%s, slot) LIMIT 1"
)
_BACK_OFF_SECONDS = 10
_PAUSE_SECONDS = 30
_READ = ("version_id", "answers", "context", "received_at", "released_at", "attempts")
# Classes of SQLSTATE whose cause is the server or its schema, never a row: connection, read-only,
# deadlock, missing table or column, resources, locks, shutdown or timeout, disk (PostgreSQL
# documentation, appendix A).
_TRANSIENT_SQLSTATES = ("08", "25", "40", "42", "53", "55", "57", "58")

_Item = TypeVar("_Item", Submission, IntakeItem)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """Counts of submissions that went onto a lead, will be retried, or were parked.

    ``reached`` is the time of receipt of a full batch's last row: more rows may wait behind it.
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


def drain(limit: int | None = None, *, max_parallel: int | None = None) -> BatchOutcome:
    """Process batches until no row is due; return the sum of their outcomes."""
    return sum(run_batches(limit, max_parallel=max_parallel), BatchOutcome())


def run_batches(
    limit: int | None = None,
    *,
    max_parallel: int | None = None,
    ordering: BatchOrdering | None = None,
) -> Iterator[BatchOutcome]:
    """Process batches of at most ``limit`` rows until no row is due; yield the outcome of each.

    Any number may run at once, in any processes and threads. With ``max_parallel`` at most that
    many batches run in the whole deployment: a batch that gets no slot leaves its rows to the
    running ones. The threads of one process share ``ordering``.
    """
    size, ordering = limit or settings.INTAKE_BATCH_ROWS, ordering or BatchOrdering()
    outcome = BatchOutcome()
    while True:
        # The last pass reads from the start again: rows replayed from the spool have earlier times.
        since = outcome.reached
        outcome = _work_batch(size, max_parallel, since, ordering)
        yield outcome
        if not (outcome.rows or since):
            return


def _work_batch(
    limit: int, max_parallel: int | None, since: datetime | None, ordering: BatchOrdering
) -> BatchOutcome:
    with ordering.batch() as batch:
        outcome, later = _work_claimed(limit, max_parallel, since, ordering, batch)
        if later:
            batch.wait()
            outcome += _work_later(later)
    _count(outcome)
    return outcome


def _work_claimed(
    limit: int,
    max_parallel: int | None,
    since: datetime | None,
    ordering: BatchOrdering,
    batch: Batch,
) -> tuple[BatchOutcome, list[UUID]]:
    """Return the outcome, and the rows whose persons are in another running batch."""
    with transaction.atomic():
        set_idle_timeout(IDLE_TIMEOUT)
        if max_parallel is not None and not _acquire_slot(max_parallel):
            return BatchOutcome(), []
        with ordering.claim_lock:
            rows = _claim(limit, since)
            ready, outcome = _read(rows)
            now, later = ordering.split_by_person(batch, ready)
        outcome += _work(now)
    reached = rows[-1].received_at if len(rows) == limit else None
    return replace(outcome, reached=reached), [item.submission.pk for item in later]


def _work_later(receipts: Sequence[UUID]) -> BatchOutcome:
    # A separate transaction: a batch that waits for another must hold no locks, and each
    # transaction takes its locks in one order.
    with transaction.atomic():
        set_idle_timeout(IDLE_TIMEOUT)
        ready, outcome = _read(_lock_rows(_due().filter(pk__in=receipts)))
        return outcome + _work(ready)


def _acquire_slot(max_parallel: int) -> bool:
    # Advisory locks of the transaction: PostgreSQL releases the slot of a killed process. One
    # statement tries all slots and stops at the first free one.
    with connection.cursor() as cursor:
        cursor.execute(_ACQUIRE_SLOT, [max_parallel - 1, _SLOT_KEY])
        return cursor.fetchone() is not None


def _claim(limit: int, since: datetime | None) -> list[Submission]:
    rows = _due()
    if since:
        # Until a vacuum the index still holds the processed rows (ADR 0015): start behind them.
        rows = rows.filter(received_at__gte=since)
    return _lock_rows(rows[:limit])


def _due() -> models.QuerySet[Submission]:
    due = models.Q(next_at=None) | models.Q(next_at__lte=Now())
    return Submission.objects.waiting().filter(due).order_by("received_at", "id")


def _lock_rows(rows: models.QuerySet[Submission]) -> list[Submission]:
    return list(rows.only(*_READ).select_for_update(skip_locked=True))


def _read(rows: Sequence[Submission]) -> tuple[list[IntakeItem], BatchOutcome]:
    """Return the rows as items, and the outcome of the rows that cannot be read."""
    items: list[IntakeItem] = []

    def read(part: Sequence[Submission]) -> BatchOutcome:
        items.extend(read_items(part))
        return BatchOutcome()

    return items, _halving(rows, read)


def _work(batch: Sequence[IntakeItem]) -> BatchOutcome:
    def work(part: Sequence[IntakeItem]) -> BatchOutcome:
        write_leads(part)
        return BatchOutcome(processed=len(part))

    if not batch:
        return BatchOutcome()
    parents = (item.submission.context.get("trace", "") for item in batch)
    with tracing.batch("intake", parents), metrics.INTAKE_SECONDS.time():
        return _halving(batch, work)


def _halving(items: Sequence[_Item], do: Callable[[Sequence[_Item]], BatchOutcome]) -> BatchOutcome:
    """Process all items in one savepoint; on failure halve them until the failing one is alone."""
    if not items:
        return BatchOutcome()
    try:
        with transaction.atomic():
            return do(items)
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        if _is_connection_lost():
            # No row is at fault, and each further statement would fail and nest its traceback.
            raise
        if len(items) == 1:
            (item,) = items
            return _set_aside(item.submission if isinstance(item, IntakeItem) else item, error)
        middle = len(items) // 2
        return _halving(items[:middle], do) + _halving(items[middle:], do)


def _is_connection_lost() -> bool:
    return connection.connection is None or connection.connection.closed


def _set_aside(row: Submission, error: Exception) -> BatchOutcome:
    """Record the failure; retry after 20, 40, 80 and 160 seconds, then park (dead-letter) the row.

    A transient fault counts as no attempt, however long it lasts.
    """
    is_transient = _is_transient(error)
    row.attempts += not is_transient
    row.last_error = _first_line(error)
    wait = _PAUSE_SECONDS if is_transient else _BACK_OFF_SECONDS * 2**row.attempts
    row.next_at = Now() + timedelta(seconds=wait)  # the clock that _due reads
    is_parked = row.attempts >= MAX_ATTEMPTS
    if is_parked:
        row.parked_at, row.next_at = timezone.now(), None
        emit("submission.parked", row, data={"error": type(error).__name__})
    row.save(update_fields=["attempts", "last_error", "next_at", "parked_at"])
    details = {"receipt": str(row.pk), "error": type(error).__name__, "attempts": row.attempts}
    log.warning("submission parked" if is_parked else "submission failed", extra=details)
    return BatchOutcome(parked=1) if is_parked else BatchOutcome(failed=1)


def _is_transient(error: Exception) -> bool:
    """Tell whether the cause lies outside the row, so that a retry can succeed."""
    if isinstance(error, Error):
        return str(getattr(error.__cause__, "sqlstate", None) or "").startswith(
            _TRANSIENT_SQLSTATES
        )
    return isinstance(error, OvertakenError)


def _first_line(error: Exception) -> str:
    # PostgreSQL's further lines quote values, which are personal data of the answers.
    line = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {line}"[:500].replace("\0", "")


def _count(outcome: BatchOutcome) -> None:
    metrics.INTAKE_ROWS.labels("processed").inc(outcome.processed)
    metrics.INTAKE_ROWS.labels("failed").inc(outcome.failed)
    metrics.INTAKE_ROWS.labels("parked").inc(outcome.parked)
