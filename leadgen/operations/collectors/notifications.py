"""Gauges of the notifications that wait for the mail server or were given up."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from leadgen.accounts.models import Notification


@dataclass(frozen=True, slots=True)
class NotificationCounts:
    """Numbers of waiting and parked notifications, and the time of the oldest waiting one."""

    waiting: int
    oldest: datetime | None
    parked: int

    @property
    def age(self) -> float:
        """Seconds for which the oldest notification has waited; 0 when none waits."""
        if not self.oldest:
            return 0.0
        return max(0.0, (timezone.now() - self.oldest).total_seconds())


def count() -> NotificationCounts:
    """Count in the caller's transaction; two small indexes are read."""
    waiting = Notification.objects.waiting().aggregate(
        count=models.Count("pk"), oldest=models.Min("created_at")
    )
    parked = Notification.objects.parked().count()
    return NotificationCounts(waiting["count"], waiting["oldest"], parked)


def metrics(counts: NotificationCounts) -> Iterator[Metric]:
    """Yield the gauges."""
    for name, text, value in (
        ("waiting", "Notifications that wait for an attempt.", counts.waiting),
        ("oldest_waiting_seconds", "Age of the oldest waiting notification.", counts.age),
        ("parked", "Notifications given up after the last attempt.", counts.parked),
    ):
        yield GaugeMetricFamily(f"leadgen_notifications_{name}", text, value=value)
