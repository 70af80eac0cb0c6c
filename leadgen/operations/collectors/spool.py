"""What /metrics says about the spool, read from the storage at the scrape."""

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
    """Lists names only; with the storage away only ``leadgen_spool_readable 0`` is said."""

    def collect(self) -> Iterable[Metric]:
        try:
            depth = run_with_timeout(SECONDS, store.depth)
        except Exception as error:
            logger.warning("the spool cannot be read for metrics: %s", error)
            yield _gauge("readable", "1 while the spool can be read.", 0)
            return
        age = (timezone.now() - depth.oldest).total_seconds() if depth.oldest else 0
        yield _gauge("readable", "1 while the spool can be read.", 1)
        yield _gauge("depth", "Submissions that wait in the storage.", depth.waiting)
        yield _gauge("oldest_seconds", "Age of the oldest that waits there.", max(0, age))
        yield _gauge("parked", "Given up on until looked at.", depth.parked)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"leadgen_spool_{name}", text, value=value)
