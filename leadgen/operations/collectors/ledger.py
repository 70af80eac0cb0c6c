"""Gauges of the ledger, read from the database at the scrape."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import Error, connection, models, transaction
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from leadgen.capture.models import Submission
from leadgen.events.models import Cursor, Event, ParkedEvent
from leadgen.lib.net.timeouts import run_with_timeout
from leadgen.operations.collectors import notifications
from leadgen.operations.collectors.notifications import NotificationCounts
from leadgen.operations.models import Balance

SECONDS = 3.0
# The pauses after failed attempts add up to five minutes. A temporary fault (a lock, a lost
# connection) counts no attempt and can postpone a submission without limit, so beyond ten minutes
# its wait is counted from its receipt.
_PAUSES = timedelta(minutes=10)
_WAITS_SINCE = models.Case(
    models.When(
        models.Q(attempts=0) | models.Q(received_at__lt=Now() - _PAUSES), then="received_at"
    ),
    default=Coalesce("next_at", "received_at"),
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LedgerState:
    """Counts read from small indexes, and the last full pass."""

    live: dict[str, int]
    oldest_waiting: float
    consumers: list[tuple[str, float, int]]
    balance: Balance | None
    notifications: NotificationCounts


class LedgerCollector(Collector):
    """With the database unavailable the only series is ``leadgen_ledger_readable 0``."""

    def collect(self) -> Iterable[Metric]:
        try:
            state = run_with_timeout(SECONDS, _read)
        except (Error, OSError) as error:
            logger.warning("database unavailable, ledger cannot be read for metrics: %s", error)
            state = None
        yield _gauge("ledger_readable", "1 while the ledger can be read.", float(bool(state)))
        if state:
            yield from _ledger(state)
            yield from _consumers(state)
            yield from notifications.metrics(state.notifications)


def _read() -> LedgerState:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '2s'")
        waiting = Submission.objects.waiting().aggregate(
            count=models.Count("pk"), oldest=models.Min(_WAITS_SINCE)
        )
        live = {
            "waiting": waiting["count"],
            "quarantined": Submission.objects.quarantined().count(),
            "parked": Submission.objects.parked().count(),
        }
        consumers = [_consumer(cursor) for cursor in Cursor.objects.order_by("consumer")]
        newest = Balance.objects.newest()
        return LedgerState(live, _age(waiting["oldest"]), consumers, newest, notifications.count())


def _consumer(cursor: Cursor) -> tuple[str, float, int]:
    unread = Event.objects.after(cursor.transaction, cursor.event_id).first()
    parked = ParkedEvent.objects.filter(consumer=cursor.consumer).count()
    return cursor.consumer, _age(unread.at if unread else None), parked


def _age(at: datetime | None) -> float:
    return max(0.0, (timezone.now() - at).total_seconds()) if at else 0.0


def _ledger(state: LedgerState) -> Iterator[Metric]:
    states = GaugeMetricFamily(
        "leadgen_submissions", "Submissions by where they are.", labels=["state"]
    )
    measured = state.balance.counts if state.balance else {}
    for place, count in (measured | state.live).items():
        states.add_metric([place.replace(" ", "_")], count)
    yield states
    yield _gauge(
        "submissions_oldest_waiting_seconds",
        "Age of the oldest waiting submission; pauses after failed attempts are not counted.",
        state.oldest_waiting,
    )
    yield _gauge(
        "submissions_parked",
        "Parked after all retries (dead-lettered), waiting for a person.",
        state.live["parked"],
    )
    yield _gauge("submissions_quarantined", "Submissions in quarantine.", state.live["quarantined"])
    if state.balance:
        yield _gauge(
            "submissions_unaccounted",
            "Submissions neither on a lead, in quarantine, waiting, parked nor erased; must be 0.",
            state.balance.unaccounted,
        )
        yield _gauge("balance_age_seconds", "Age of the last full pass.", _age(state.balance.at))


def _consumers(state: LedgerState) -> Iterator[Metric]:
    lag = GaugeMetricFamily(
        "leadgen_consumer_lag_seconds", "Age of the first unread event.", labels=["consumer"]
    )
    parked = GaugeMetricFamily(
        "leadgen_events_parked",
        "Events that a consumer parked after all retries (dead-lettered).",
        labels=["consumer"],
    )
    for consumer, age, count in state.consumers:
        lag.add_metric([consumer], age)
        parked.add_metric([consumer], count)
    yield from (lag, parked)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"leadgen_{name}", text, value=value)
