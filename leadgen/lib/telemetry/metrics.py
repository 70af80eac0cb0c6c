"""Every counter and histogram that Leadgen's processes keep; /metrics adds what the ledger says."""

from functools import cache
from itertools import product

from prometheus_client import Counter, Histogram

from leadgen.lib.telemetry import multiprocess_metrics

multiprocess_metrics.enable_multiprocess()

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

REQUESTS = Counter("leadgen_requests_total", "HTTP answers.", ["route", "method", "status"])
REQUEST_SECONDS = Histogram("leadgen_request_duration_seconds", "Time to answer.", ["route"])
PAGES_FAILED = Counter(
    "leadgen_pages_failed_total",
    "Pages answered with 503 because the database was away, busy (no free connection) or slow"
    " (time limit of a statement).",
    ["reason"],
)
BODIES_REFUSED = Counter(
    "leadgen_bodies_refused_total",
    "Requests to pages whose body was too large (413), too slow (408) or one of too many (429).",
    ["status"],
)
CONNECTIONS_REFUSED = Counter(
    "leadgen_connections_refused_total",
    "Connections closed because one address held too many (address) or the process was full"
    " (full).",
    ["reason"],
)

SUBMISSIONS = Counter(
    "leadgen_submissions_total",
    "Posts of a form by outcome: accepted, quarantined, repeated, spooled, invalid,"
    " refused, failed.",
    ["outcome"],
)
QUARANTINED = Counter("leadgen_quarantine_reasons_total", "Why submissions were held.", ["reason"])
LEDGER_WRITE_SECONDS = Histogram(
    "leadgen_ledger_write_duration_seconds",
    "Time from a submission handed over to its commit, the longest of each commit.",
)
LEDGER_BATCH_ROWS = Histogram(
    "leadgen_ledger_batch_rows",
    "Submissions written by one commit.",
    buckets=[1, 2, 5, 10, 20, 50, 100, 200, 500],
)
SPOOL = Counter(
    "leadgen_spool_total",
    "Submissions at the spool: spooled, failed, replayed, repeated, conflicting or parked.",
    ["outcome"],
)
NUDGES = Counter(
    "leadgen_nudges_total", "Hints sent to the workers: sent, failed or stuck.", ["outcome"]
)

INTAKE_SECONDS = Histogram("leadgen_intake_batch_duration_seconds", "Time to work one batch.")
INTAKE_ROWS = Counter(
    "leadgen_intake_rows_total", "Submissions worked: processed, failed or parked.", ["outcome"]
)
EVENTS_HANDLED = Counter(
    "leadgen_events_handled_total",
    "Events given to a consumer: handled, failed or parked.",
    ["consumer", "outcome"],
)
NOTIFICATIONS = Counter(
    "leadgen_notifications_total",
    "Attempts to send a notification: sent, failed, parked, or dropped as not wanted any more.",
    ["kind", "outcome"],
)
DEPENDENCY_ERRORS = Counter(
    "leadgen_dependency_errors_total", "Faults of a backend, by name.", ["dependency"]
)

LOGINS = Counter(
    "leadgen_logins_total",
    "Log-ins by outcome: succeeded, failed, limited (too many failures), busy (too many at once),"
    " unavailable (database or cache).",
    ["outcome"],
)

BEAT_SENT = Counter("leadgen_beat_sent_total", "Tasks of the timetable that beat sent.", ["task"])
STANDBY_RUNS = Counter(
    "leadgen_standby_runs_total", "Times a worker looked for work because no hint came."
)

# A rate is seen from the second value on, so the first fault must find its counter at 0.
for _route, _status in product(("capture:form", "capture:submissions"), ("500", "503")):
    REQUESTS.labels(_route, "POST", _status)
for _outcome in ("succeeded", "failed", "limited", "busy", "unavailable"):
    LOGINS.labels(_outcome)
for _dependency in ("database", "storage", "broker", "cache"):
    DEPENDENCY_ERRORS.labels(_dependency)
for _status in ("408", "413", "429"):
    BODIES_REFUSED.labels(_status)
for _reason in ("address", "full"):
    CONNECTIONS_REFUSED.labels(_reason)
for _reason in ("away", "busy", "slow"):
    PAGES_FAILED.labels(_reason)
for _outcome in ("failed", "stuck"):
    NUDGES.labels(_outcome)


def method_label(method: str) -> str:
    """Return the method, or OTHER for one that anybody may have invented: labels are few."""
    return method if method in _METHODS else "OTHER"


def count_request(route: str, method: str, status: int, seconds: float) -> None:
    """Count an answer and the seconds it took; ``route`` comes from a bounded set."""
    _requests(route, method_label(method), status).inc()
    _request_seconds(route).observe(seconds)


# Looking a counter up by its labels costs more than counting.
@cache
def _requests(route: str, method: str, status: int) -> Counter:
    return REQUESTS.labels(route, method, str(status))


@cache
def _request_seconds(route: str) -> Histogram:
    return REQUEST_SECONDS.labels(route)
