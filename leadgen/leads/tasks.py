"""What workers are asked to do; each message is a hint to look at the ledger."""

import logging
import time
from threading import Event, Thread

from celery import shared_task
from django.conf import settings
from django.db import connection

from leadgen.leads.intake.batches import MAX_PARALLEL, run_batches
from leadgen.leads.intake.ordering import BatchOrdering

# Long enough to be worth a message, short enough that other tasks get their turn.
_SECONDS = 20

log = logging.getLogger(__name__)


@shared_task(name=settings.INTAKE_TASK)
def intake() -> None:
    """Turn what waits in the ledger into leads; surplus hints find no lane and end at once.

    Where more than a batch waits, a second thread works another one abreast: Python has time for it
    while PostgreSQL is at the first.
    """
    deadline, over, abreast = time.monotonic() + _SECONDS, Event(), BatchOrdering()
    second: Thread | None = None
    try:
        for outcome in run_batches(lanes=MAX_PARALLEL, abreast=abreast):
            if time.monotonic() >= deadline:
                break
            if outcome.reached and not second:
                # A worker that is told to end at once does not wait for it.
                second = Thread(target=_work_abreast, args=(abreast, over), daemon=True)
                second.start()
    finally:
        over.set()
    if second:
        second.join()


def _work_abreast(abreast: BatchOrdering, over: Event) -> None:
    try:
        for _ in run_batches(lanes=MAX_PARALLEL, abreast=abreast):
            if over.is_set():
                return
    except Exception:
        log.exception("the intake's second thread failed; its rows wait for the next hint")
    finally:
        connection.close()
