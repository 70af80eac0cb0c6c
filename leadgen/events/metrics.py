"""Counters of the event consumers."""

from leadgen.lib.telemetry.metrics import Counter

EVENTS_HANDLED = Counter(
    "leadgen_events_handled_total",
    "Events of a consumer by outcome: handled, failed or parked.",
    ["consumer", "outcome"],
)
