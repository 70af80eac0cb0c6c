"""Celery tasks of leads; each message is only a hint (nudge) that rows wait in the ledger."""

import logging
import time
from collections.abc import Iterator
from threading import Event, Thread

from celery import shared_task
from django.conf import settings
from django.db import connection

from leadgen.leads.intake.batches import BatchOutcome, run_batches
from leadgen.leads.intake.ordering import BatchOrdering

# Long enough to amortise a message, short enough to leave the worker to other tasks.
_SECONDS = 20

log = logging.getLogger(__name__)


@shared_task(name=settings.INTAKE_TASK)
def intake() -> None:
    """Turn waiting submissions into leads; a task that gets no slot ends at once.

    When more than one batch waits, a second thread processes batches in parallel: Python has time
    for it while PostgreSQL executes the statements of the first (ADR 0015).
    """
    deadline, stop, ordering = time.monotonic() + _SECONDS, Event(), BatchOrdering()
    second: Thread | None = None
    try:
        for outcome in _batches(ordering):
            if time.monotonic() >= deadline:
                break
            if outcome.reached and not second:
                # A daemon thread: an immediate shutdown of the worker does not wait for it.
                second = Thread(target=_run_second, args=(ordering, stop), daemon=True)
                second.start()
    finally:
        stop.set()
    if second:
        second.join()


def _batches(ordering: BatchOrdering) -> Iterator[BatchOutcome]:
    return run_batches(max_parallel=settings.INTAKE_MAX_PARALLEL or None, ordering=ordering)


def _run_second(ordering: BatchOrdering, stop: Event) -> None:
    try:
        for _ in _batches(ordering):
            if stop.is_set():
                return
    except Exception:
        log.exception("second intake thread failed, its rows wait for the next task")
    finally:
        connection.close()
