"""Counters and histograms of submissions, ledger, spool and nudges."""

from leadgen.lib.telemetry.metrics import Counter, Histogram, pre_register

SUBMISSIONS = Counter(
    "leadgen_submissions_total",
    "Posts of a form by outcome: accepted, quarantined, repeated, spooled, invalid,"
    " refused, failed.",
    ["outcome"],
)
QUARANTINED = Counter(
    "leadgen_quarantine_reasons_total", "Reasons of quarantined submissions.", ["reason"]
)
LEDGER_WRITE_SECONDS = Histogram(
    "leadgen_ledger_write_duration_seconds",
    "Time from the queue of the batch writer to the commit, the longest of each commit.",
)
LEDGER_BATCH_ROWS = Histogram(
    "leadgen_ledger_batch_rows",
    "Submissions written by one commit.",
    buckets=[1, 2, 5, 10, 20, 50, 100, 200, 500],
)
SPOOL = Counter(
    "leadgen_spool_total",
    "Spooled submissions by outcome: spooled, failed, replayed, repeated, conflicting, parked.",
    ["outcome"],
)
NUDGES = Counter(
    "leadgen_nudges_total",
    "Hints to the workers by outcome: sent, failed or stuck (timeout).",
    ["outcome"],
)

pre_register(NUDGES, "failed", "stuck")
