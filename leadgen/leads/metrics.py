"""Counters and histograms of the intake."""

from leadgen.lib.telemetry.metrics import Counter, Histogram

INTAKE_SECONDS = Histogram(
    "leadgen_intake_batch_duration_seconds", "Time to process one batch of submissions."
)
INTAKE_ROWS = Counter(
    "leadgen_intake_rows_total",
    "Submissions of the intake by outcome: processed, failed or parked.",
    ["outcome"],
)
