"""Gauges of the backups, read from their rows at the scrape."""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.db import Error, models
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from leadgen.lib.net.timeouts import run_with_timeout
from leadgen.operations.models import Backup

SECONDS = 3.0

logger = logging.getLogger(__name__)


class BackupCollector(Collector):
    """No series without a backup, so an alert must test for absence too."""

    def collect(self) -> Iterable[Metric]:
        try:
            newest, checked = run_with_timeout(SECONDS, _read)
        except (Error, OSError) as error:
            logger.warning("database unavailable, backups cannot be read for metrics: %s", error)
            return
        if newest:
            yield _age("backup_age_seconds", "Age of the newest backup.", newest)
        if checked:
            text = "Age of the last successful trial restore."
            yield _age("backup_checked_age_seconds", text, checked)


def _read() -> tuple[datetime | None, datetime | None]:
    times = Backup.objects.aggregate(newest=models.Max("at"), checked=models.Max("checked_at"))
    return times["newest"], times["checked"]


def _age(name: str, text: str, at: datetime) -> Metric:
    age = max(0.0, (timezone.now() - at).total_seconds())
    return GaugeMetricFamily(f"leadgen_{name}", text, value=age)
