"""Request metrics, and the classes that every package's counters are made with.

Packages keep their counters in ``<package>/metrics.py`` and import ``Counter`` and ``Histogram``
from here: prometheus_client decides when a metric is created whether it is kept in files that the
processes of a role share (multiprocess mode), so that mode is enabled first.
"""

from functools import cache

from prometheus_client import Counter, Histogram

from leadgen.lib.telemetry import multiprocess_metrics

__all__ = ["Counter", "Histogram", "count_request", "method_label", "pre_register"]

multiprocess_metrics.enable_multiprocess()

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

REQUESTS = Counter("leadgen_requests_total", "HTTP answers.", ["route", "method", "status"])
REQUEST_SECONDS = Histogram("leadgen_request_duration_seconds", "Time to answer.", ["route"])
DEPENDENCY_ERRORS = Counter(
    "leadgen_dependency_errors_total", "Faults of a backend by name.", ["dependency"]
)


def pre_register(metric: Counter, *label_values: str | tuple[str, ...]) -> None:
    """Create series at 0, one for each value (or tuple of values) of the labels.

    A rate is seen from the second value of a series on, so the first fault must find it at 0.
    """
    for values in label_values:
        metric.labels(*((values,) if isinstance(values, str) else values))


def method_label(method: str) -> str:
    """Return the method, or OTHER for an unknown one: label values must be few."""
    return method if method in _METHODS else "OTHER"


def count_request(route: str, method: str, status: int, seconds: float) -> None:
    """Count an answer and its duration in seconds; ``route`` comes from a bounded set."""
    _requests(route, method_label(method), status).inc()
    _request_seconds(route).observe(seconds)


# Looking a counter up by its labels costs more than counting.
@cache
def _requests(route: str, method: str, status: int) -> Counter:
    return REQUESTS.labels(route, method, str(status))


@cache
def _request_seconds(route: str) -> Histogram:
    return REQUEST_SECONDS.labels(route)


pre_register(DEPENDENCY_ERRORS, "database", "storage", "broker", "cache")
