"""From the ledger to leads: take what waits in batches, and set aside what cannot be worked."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import Error, connection, models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from leadgen.capture.models import Submission
from leadgen.events.services import emit
from leadgen.leads.abreast import Persons, Take
from leadgen.leads.attach import attach
from leadgen.leads.identify import OvertakenError
from leadgen.lib import metrics, spans
from leadgen.lib.silence import end_when_silent

MAX_ATTEMPTS = 5
LANES = 4
SILENCE = "60s"
_LANE_KEY = 0x1EAD
_BACK_OFF_SECONDS = 10
_PAUSE_SECONDS = 30
_READ = ("version_id", "answers", "context", "received_at", "attempts")
# Classes of SQLSTATE that tell of the server or its schema and never of a row: connection,
# read-only, deadlock, a table or column to come, resources, locks, shutdown or time-out, disk.
_PASSING = ("08", "25", "40", "42", "53", "55", "57", "58")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
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

    def __add__(self, other: Self) -> "Outcome":
        return Outcome(
            self.processed + other.processed,
            self.failed + other.failed,
            self.parked + other.parked,
        )


def drain(limit: int | None = None, *, lanes: int | None = None) -> Outcome:
    """Work batches until nothing is due; return what came of all together."""
    return sum(batches(limit, lanes=lanes), Outcome())


def batches(
    limit: int | None = None, *, lanes: int | None = None, persons: Persons | None = None
) -> Iterator[Outcome]:
    """Work batches of at most ``limit`` rows until nothing is due, and yield each one's outcome.

    Any number may run at once, in any processes and threads. With ``lanes`` at most that many
    batches run in the whole deployment: one that finds no free lane leaves the rows to those that
    run. Those that share ``persons`` leave each other's persons alone.
    """
    size, persons = limit or settings.INTAKE_BATCH_ROWS, persons or Persons()
    outcome = Outcome()
    while True:
        # What came late with an earlier time, such as from the spool, is seen by a last look.
        since = outcome.reached
        with persons.batch() as take:
            outcome = _work_batch(size, lanes, since, take)
        yield outcome
        if not (outcome.rows or since):
            return


def _work_batch(
    limit: int, lanes: int | None, since: datetime | None = None, take: Take = list
) -> Outcome:
    with transaction.atomic():
        end_when_silent(SILENCE)
        if lanes is not None and not _takes_lane(lanes):
            return Outcome()
        rows = _claim(limit, since)
        if not rows:
            return Outcome()
        parents = (row.context.get("trace", "") for row in rows)
        with spans.batch(parents), metrics.INTAKE_SECONDS.time():
            outcome = _work(rows, take)
    _count(outcome)
    return replace(outcome, reached=rows[-1].received_at if len(rows) == limit else None)


def _takes_lane(lanes: int) -> bool:
    # Held until the batch commits, so a killed process frees its lane by dying.
    with connection.cursor() as cursor:
        for lane in range(lanes):
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LANE_KEY, lane])
            if cursor.fetchone() == (True,):
                return True
    return False


def _claim(limit: int, since: datetime | None) -> list[Submission]:
    due = models.Q(next_at=None) | models.Q(next_at__lte=Now())
    rows = Submission.objects.waiting().filter(due).order_by("received_at", "id")
    if since:
        # Until a vacuum the index still holds the rows that were worked: begin behind them.
        rows = rows.filter(received_at__gte=since)
    return list(rows.only(*_READ).select_for_update(skip_locked=True)[:limit])


def _work(rows: Sequence[Submission], take: Take) -> Outcome:
    """Work the rows together; halve them on failure until the one that cannot be is alone."""
    try:
        with transaction.atomic():
            return Outcome(processed=attach(rows, take))
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        if len(rows) == 1:
            return _set_aside(rows[0], error)
        middle = len(rows) // 2
        return _work(rows[:middle], take) + _work(rows[middle:], take)


def _set_aside(row: Submission, error: Exception) -> Outcome:
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
    return Outcome(parked=1) if parks else Outcome(failed=1)


def _passes(error: Exception) -> bool:
    """Tell whether the fault is none of the row's: the same row may well be worked later."""
    if isinstance(error, Error):
        return str(getattr(error.__cause__, "sqlstate", None) or "").startswith(_PASSING)
    return isinstance(error, OvertakenError)


def _first_line(error: Exception) -> str:
    # PostgreSQL's further lines quote values: they belong to the answers, not to an error.
    line = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {line}"[:500].replace("\0", "")


def _count(outcome: Outcome) -> None:
    metrics.INTAKE_ROWS.labels("processed").inc(outcome.processed)
    metrics.INTAKE_ROWS.labels("failed").inc(outcome.failed)
    metrics.INTAKE_ROWS.labels("parked").inc(outcome.parked)
