"""Consumers of the event log: at-least-once, in order, each with its own cursor.

An event that fails is retried with increasing waits and then parked (dead-lettered).
"""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Max
from django.utils.module_loading import import_string

from leadgen.events.metrics import EVENTS_HANDLED
from leadgen.events.models import (
    BEGINNING,
    Cursor,
    Event,
    OldestRunningTransactionId,
    ParkedEvent,
)
from leadgen.lib.transactions import set_idle_timeout

Handler = Callable[[Event], None]

# Waits between the attempts on one event; after the last attempt it is parked.
_WAITS = [timedelta(seconds=seconds) for seconds in (5, 30, 120, 600)]
# A slice commits after about this time, so a crash repeats the work of one second at most.
_SLICE_SECONDS = 1.0
# Handlers only write rows; a machine that vanishes in the middle releases its lock after this time.
SILENCE = "120s"

logger = logging.getLogger(__name__)


def pipeline() -> dict[str, dict[str, Handler]]:
    """Return consumer -> event kind or pattern -> handler, as leadgen/pipeline.py lists them."""
    listed = import_string(settings.EVENT_PIPELINE)
    return {
        consumer: {kind: import_string(path) for kind, path in kinds.items()}
        for consumer, kinds in listed.items()
    }


def consume(consumer: str, handlers: Mapping[str, Handler], limit: int = 500) -> int:
    """Handle the consumer's next events and return how many its cursor passed.

    Kinds without a handler are skipped. The handlers' rows and the cursor commit in one
    transaction, so handlers must not send anything: they write rows that the role `delivery`
    sends. 0 also means that another process reads for this consumer, or that a failed event waits
    for its next attempt.
    """
    Cursor.objects.get_or_create(consumer=consumer)
    with transaction.atomic():
        set_idle_timeout(SILENCE)
        cursor = Cursor.objects.claim(consumer)
        return _advance(cursor, handlers, limit) if cursor else 0


def replay(consumer: str, after: Event | None = None) -> None:
    """Set the consumer's cursor back to this event, or to the beginning of the log.

    Raise Cursor.DoesNotExist for a consumer that has never read.
    """
    with transaction.atomic():
        cursor = Cursor.objects.hold(consumer)
        place = (after.transaction, after.pk) if after else (BEGINNING, 0)
        cursor.transaction, cursor.event_id = place
        cursor.rest(timedelta(0), attempts=0)
        cursor.save()


def rebase() -> int:
    """Lower the transaction numbers of the log below this server's; return how many events moved.

    A restore into a new server brings transaction numbers that the server has not reached, and no
    event would settle until then. Where the server is past them, nothing moves. Order and cursors
    keep their meaning. Run it before any process writes.
    """
    with transaction.atomic():
        if not Event.objects.filter(transaction__gte=OldestRunningTransactionId()).exists():
            return 0
        newest: int = Event.objects.aggregate(newest=Max("transaction"))["newest"]
        Cursor.objects.filter(transaction__gt=BEGINNING).update(
            transaction=F("transaction") - newest
        )
        _lower(newest)
        return Event.objects.count()


def _lower(by: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        # Rewrites table and indexes in a fraction of the time of an UPDATE of every row.
        table = Event._meta.db_table
        change = f"ALTER transaction TYPE bigint USING transaction - {by:d}"
        cursor.execute(f"ALTER TABLE {table} {change}")


def _advance(cursor: Cursor, handlers: Mapping[str, Handler], limit: int) -> int:
    deadline = time.monotonic() + _SLICE_SECONDS
    passed = 0
    for event in Event.objects.settled().after(cursor.transaction, cursor.event_id)[:limit]:
        if not _handle(cursor, event, _find_handler(handlers, event.kind)):
            break
        cursor.move_to(event)
        passed += 1
        if time.monotonic() > deadline:
            break
    if passed or cursor.attempts:
        cursor.save()
    return passed


def _find_handler(handlers: Mapping[str, Handler], kind: str) -> Handler | None:
    """Return the most specific handler: of the kind, of ``noun.*`` or of ``*``."""
    noun = kind.partition(".")[0]
    patterns = (kind, f"{noun}.*", "*")
    return next((handlers[pattern] for pattern in patterns if pattern in handlers), None)


def _handle(cursor: Cursor, event: Event, handler: Handler | None) -> bool:
    """Return whether the cursor may pass the event: handled, without handler, or parked."""
    error = _attempt(handler, event) if handler else ""
    outcome = "handled"
    if error:
        outcome = "parked" if cursor.attempts >= len(_WAITS) else "failed"
        logger.warning("%s %s event %d (%s)", cursor.consumer, outcome, event.pk, event.kind)
    if outcome == "parked":
        ParkedEvent.objects.update_or_create(
            consumer=cursor.consumer, event=event, defaults={"error": error}
        )
    elif outcome == "failed":
        cursor.rest(_WAITS[cursor.attempts], cursor.attempts + 1, error)
    if handler:
        EVENTS_HANDLED.labels(cursor.consumer, outcome).inc()
    return outcome != "failed"


def _attempt(handler: Handler, event: Event) -> str:
    try:
        with transaction.atomic():
            handler(event)
    except Exception as error:
        logger.exception("%s cannot handle event %d", handler.__name__, event.pk)
        return f"{type(error).__name__}: {error}"[:1000].replace("\0", "")
    return ""
