"""Counters of the event consumers."""

from leadgen.lib.telemetry.metrics import Counter

EVENTS_HANDLED = Counter(
    "leadgen_events_handled_total",
    "Events given to a consumer: handled, failed or parked.",
    ["consumer", "outcome"],
)
