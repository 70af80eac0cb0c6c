"""Notifications about leads: event handlers and mail builders, listed in leadgen/pipeline.py."""

from django.conf import settings
from django.core.mail import EmailMessage

from leadgen.accounts.models import Notification
from leadgen.accounts.notifications import notify
from leadgen.events.models import Event
from leadgen.leads.models import Lead


def on_lead_assigned(event: Event) -> None:
    """Write a notification to the new owner, unless the owner assigned the lead.

    An undo returns the lead to the owner that it had: that is no new lead.
    """
    owner_id = event.data.get("owner")
    if owner_id and owner_id != event.actor_id and "undo_of" not in event.data:
        notify(owner_id, event.kind, {"lead": event.subject_id}, event=event)


def assigned_mail(notification: Notification) -> EmailMessage | None:
    """Build the mail about the lead; None when the owner wants none or the lead is gone."""
    owner = notification.recipient
    leads = Lead.objects.select_related("contact", "company", "form")
    lead = leads.filter(pk=notification.data["lead"]).first()
    if not lead or lead.contact.is_erased or not owner.notify_by_email:
        return None
    return EmailMessage(_subject(lead), _body(lead), None, [owner.email])


def _subject(lead: Lead) -> str:
    return " ".join(f"New lead: {lead}".split())


def _body(lead: Lead) -> str:
    contact = lead.contact
    details = {
        "Name": contact.name,
        "Company": str(lead.company or ""),
        "Email": contact.email,
        "Phone": contact.phone,
        "Form": str(lead.form or ""),
        "Source": " / ".join(filter(None, (lead.source, lead.medium))),
    }
    lines = [f"{label}: {value}" for label, value in details.items() if value]
    link = f"{settings.PUBLIC_URL}/admin/leads/lead/{lead.pk}/change/"
    return "\n\n".join(filter(None, ("\n".join(lines), lead.message, link))) + "\n"
