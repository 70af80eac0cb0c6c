"""The map of the system: consumer -> event kind -> handler, each by dotted path.

Stages never call the next stage: they write events, and here stands who listens. Every consumer
holds a cursor of its own in the event log, so a slow or failing one holds up nobody else.
"""

HANDLERS: dict[str, dict[str, str]] = {
    "account mail": {
        "user.password_reset_requested": "leadgen.accounts.login.mail.send_reset_link",
    },
    "notifications": {
        "lead.assigned": "leadgen.leads.handlers.on_lead_assigned",
    },
}
