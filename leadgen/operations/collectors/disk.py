"""Free share of the disks that this process can see: its own, and the one of a local storage.

In a container the root file system lies on the disk of the host, where Docker Compose keeps its
volumes too.
"""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

# The alerts LeadgenDiskFills and LeadgenVolumeFills have the same limit.
MIN_FREE = 0.15


def free_ratio() -> float:
    """Return the free share, from 0 to 1, of the fullest disk."""
    folders = ["/"]
    if location := settings.STORAGES["default"].get("OPTIONS", {}).get("location"):
        folders += [str(location), *map(str, Path(location).parents)]
    ratios = []
    for folder in folders:
        # A storage that nothing has been written to does not exist yet.
        with suppress(OSError):
            usage = shutil.disk_usage(folder)
            ratios.append(usage.free / usage.total)
    return min(ratios, default=1.0)


class DiskCollector(Collector):
    """One gauge, read at the scrape."""

    def collect(self) -> Iterable[Metric]:
        text = "Free share of the fullest disk that web can see."
        yield GaugeMetricFamily("leadgen_disk_free_ratio", text, value=free_ratio())
