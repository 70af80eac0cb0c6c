"""Gauges of the spool, read from the storage at the scrape."""

import logging
from collections.abc import Iterable

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from leadgen.capture.spool import store
from leadgen.lib.net.timeouts import run_with_timeout

SECONDS = 3.0

logger = logging.getLogger(__name__)


class SpoolCollector(Collector):
    """Lists names only; without the storage the only series is ``leadgen_spool_readable 0``."""

    def collect(self) -> Iterable[Metric]:
        try:
            depth = run_with_timeout(SECONDS, store.depth)
        except Exception as error:
            logger.warning("storage unavailable, spool cannot be read for metrics: %s", error)
            yield _gauge("readable", "1 while the spool can be read.", 0)
            return
        age = (timezone.now() - depth.oldest).total_seconds() if depth.oldest else 0
        yield _gauge("readable", "1 while the spool can be read.", 1)
        yield _gauge("depth", "Submissions that wait in the spool.", depth.waiting)
        yield _gauge(
            "oldest_seconds", "Age of the oldest submission that waits in the spool.", max(0, age)
        )
        yield _gauge(
            "parked", "Parked objects (dead-lettered), waiting for a person.", depth.parked
        )


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"leadgen_spool_{name}", text, value=value)
