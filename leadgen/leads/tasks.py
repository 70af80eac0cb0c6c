"""What workers are asked to do; each message is a hint to look at the ledger."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

from celery import shared_task
from django.conf import settings
from django.db import connection

from leadgen.leads.abreast import Persons
from leadgen.leads.intake import LANES, batches

# Long enough to be worth a message, short enough that other tasks get their turn.
_SECONDS = 20


@shared_task(name=settings.INTAKE_TASK)
def intake() -> None:
    """Turn what waits in the ledger into leads; surplus hints find no lane and end at once.

    Where more than a batch waits, a second thread works another one abreast: Python has time for it
    while PostgreSQL is at the first.
    """
    deadline, over, persons = time.monotonic() + _SECONDS, Event(), Persons()
    second: Future[None] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="intake") as pool:
        try:
            for outcome in batches(lanes=LANES, persons=persons):
                if time.monotonic() >= deadline:
                    break
                if outcome.reached and not second:
                    second = pool.submit(_work_abreast, persons, over)
        finally:
            over.set()
    if second:
        second.result()


def _work_abreast(persons: Persons, over: Event) -> None:
    try:
        for _ in batches(lanes=LANES, persons=persons):
            if over.is_set():
                return
    finally:
        connection.close()
