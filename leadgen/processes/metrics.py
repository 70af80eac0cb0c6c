"""Counters of the server and scheduler processes, and the import of every package's counters.

Web, worker and beat import this module, so that each of them shows the same metric names from its
start on: a rate is seen from the second value of a series only.
"""

from leadgen.accounts import metrics as accounts_metrics
from leadgen.capture import metrics as capture_metrics
from leadgen.edge import metrics as edge_metrics
from leadgen.events import metrics as events_metrics
from leadgen.leads import metrics as leads_metrics
from leadgen.lib.telemetry.metrics import Counter, pre_register
from leadgen.operations import metrics as operations_metrics

PACKAGES = (
    accounts_metrics,
    capture_metrics,
    edge_metrics,
    events_metrics,
    leads_metrics,
    operations_metrics,
)

BODIES_REFUSED = Counter(
    "leadgen_bodies_refused_total",
    "Requests to pages whose body was too large (413), too slow (408) or one of too many (429).",
    ["status"],
)
CONNECTIONS_REFUSED = Counter(
    "leadgen_connections_refused_total",
    "Connections closed because one address had too many (address) or the process reached its"
    " limit (full).",
    ["reason"],
)
BEAT_SENT = Counter("leadgen_beat_sent_total", "Scheduled tasks that beat sent.", ["task"])
STANDBY_RUNS = Counter(
    "leadgen_standby_runs_total",
    "Times a worker ran the scheduled tasks itself because none arrived.",
)

pre_register(BODIES_REFUSED, "408", "413", "429")
pre_register(CONNECTIONS_REFUSED, "address", "full")
