"""Counters and histograms of the intake."""

from leadgen.lib.telemetry.metrics import Counter, Histogram

INTAKE_SECONDS = Histogram("leadgen_intake_batch_duration_seconds", "Time to work one batch.")
INTAKE_ROWS = Counter(
    "leadgen_intake_rows_total", "Submissions worked: processed, failed or parked.", ["outcome"]
)
