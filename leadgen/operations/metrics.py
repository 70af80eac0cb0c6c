"""Counters of error pages."""

from leadgen.lib.telemetry.metrics import Counter, pre_register

PAGES_FAILED = Counter(
    "leadgen_pages_failed_total",
    "Pages answered with 503 because the database was unavailable (away), had no free connection"
    " (busy) or exceeded the time limit of a statement (slow).",
    ["reason"],
)

pre_register(PAGES_FAILED, "away", "busy", "slow")
