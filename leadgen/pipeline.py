"""Map of the system by dotted path: consumer -> event kind -> handler, and the mail builders.

Stages never call the next stage: they write events, and consumers read them, each with its own
cursor in the event log. A kind is exact (``lead.assigned``), a prefix (``lead.*``) or ``*``; the
most specific entry handles the event. Handlers only write rows, inside the cursor's transaction.
What goes out to other servers is sent from those rows by the role `delivery`.
"""

HANDLERS: dict[str, dict[str, str]] = {
    "account mail": {
        "user.password_reset_requested": "leadgen.accounts.login.mail.on_reset_requested",
    },
    "notifications": {
        "lead.assigned": "leadgen.leads.handlers.on_lead_assigned",
        "lead.submission_added": "leadgen.leads.handlers.on_submission_added",
    },
}

NOTIFICATION_BUILDERS: dict[str, str] = {
    "user.password_reset_requested": "leadgen.accounts.login.mail.reset_mail",
    "lead.assigned": "leadgen.leads.handlers.assigned_mail",
    "lead.submission_added": "leadgen.leads.handlers.new_message_mail",
}
