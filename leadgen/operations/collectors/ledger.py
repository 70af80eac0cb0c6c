"""What /metrics says about the ledger, beside what the processes have counted."""

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
# One that failed sits its pauses out, five minutes in all; a fault that passes and does not end
# puts it off for ever, at no attempt.
_PAUSES = timedelta(minutes=10)
_WAITS_SINCE = models.Case(
    models.When(
        models.Q(attempts=0) | models.Q(received_at__lt=Now() - _PAUSES), then="received_at"
    ),
    default=Coalesce("next_at", "received_at"),
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """What small indexes tell now, and the last full pass."""

    live: dict[str, int]
    oldest_waiting: float
    consumers: list[tuple[str, float, int]]
    balance: Balance | None
    notifications: NotificationCounts


class LedgerCollector(Collector):
    """Reads at the scrape; with the database away only ``leadgen_ledger_readable 0`` is said."""

    def collect(self) -> Iterable[Metric]:
        try:
            reading = run_with_timeout(SECONDS, _read)
        except (Error, OSError) as error:
            logger.warning("the ledger cannot be read for metrics: %s", error)
            reading = None
        yield _gauge("ledger_readable", "1 while the ledger can be read.", float(bool(reading)))
        if reading:
            yield from _ledger(reading)
            yield from _consumers(reading)
            yield from notifications.metrics(reading.notifications)


def _read() -> Reading:
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
        return Reading(live, _age(waiting["oldest"]), consumers, newest, notifications.count())


def _consumer(cursor: Cursor) -> tuple[str, float, int]:
    unread = Event.objects.after(cursor.transaction, cursor.event_id).first()
    parked = ParkedEvent.objects.filter(consumer=cursor.consumer).count()
    return cursor.consumer, _age(unread.at if unread else None), parked


def _age(at: datetime | None) -> float:
    return max(0.0, (timezone.now() - at).total_seconds()) if at else 0.0


def _ledger(reading: Reading) -> Iterator[Metric]:
    states = GaugeMetricFamily(
        "leadgen_submissions", "Submissions by where they are.", labels=["state"]
    )
    measured = reading.balance.counts if reading.balance else {}
    for place, count in (measured | reading.live).items():
        states.add_metric([place.replace(" ", "_")], count)
    yield states
    yield _gauge(
        "submissions_oldest_waiting_seconds",
        "For how long a submission has waited to be worked; not while it sits a failure out.",
        reading.oldest_waiting,
    )
    yield _gauge("submissions_parked", "Given up on until looked at.", reading.live["parked"])
    yield _gauge("submissions_quarantined", "Held.", reading.live["quarantined"])
    if reading.balance:
        yield _gauge(
            "submissions_unaccounted",
            "Acknowledged and neither on a lead, held, waiting nor erased. Must be 0.",
            reading.balance.unaccounted,
        )
        yield _gauge("balance_age_seconds", "Age of the last full pass.", _age(reading.balance.at))


def _consumers(reading: Reading) -> Iterator[Metric]:
    lag = GaugeMetricFamily(
        "leadgen_consumer_lag_seconds", "Age of the first unread event.", labels=["consumer"]
    )
    parked = GaugeMetricFamily(
        "leadgen_events_parked", "Events a consumer gave up on.", labels=["consumer"]
    )
    for consumer, age, count in reading.consumers:
        lag.add_metric([consumer], age)
        parked.add_metric([consumer], count)
    yield from (lag, parked)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"leadgen_{name}", text, value=value)
