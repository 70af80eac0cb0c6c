"""Counters of log-ins and notifications."""

from leadgen.lib.telemetry.metrics import Counter, pre_register

LOGINS = Counter(
    "leadgen_logins_total",
    "Log-ins by outcome: succeeded, failed, limited (too many failures), busy (too many at once),"
    " unavailable (database or cache).",
    ["outcome"],
)

pre_register(LOGINS, "succeeded", "failed", "limited", "busy", "unavailable")

REFUSALS = Counter(
    "leadgen_refusals_total",
    "Requests of the workspace answered 403: role (the user may not do this), csrf (no or a wrong"
    " token).",
    ["reason"],
)

pre_register(REFUSALS, "role", "csrf")

NOTIFICATIONS = Counter(
    "leadgen_notifications_total",
    "Attempts to send a notification: sent, failed, parked, or dropped as not wanted any more.",
    ["kind", "outcome"],
)
