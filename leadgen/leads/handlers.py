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


def on_submission_added(event: Event) -> None:
    """Write a notification to the owner when a known person writes again.

    One message for each wait: further ones before an act of a person write none.
    """
    if not event.data.get("new_message"):
        return
    owner_id = Lead.objects.filter(pk=event.subject_id).values_list("owner", flat=True).first()
    if owner_id:
        notify(owner_id, event.kind, {"lead": event.subject_id}, event=event)


def new_message_mail(notification: Notification) -> EmailMessage | None:
    """Build the mail about a new message, on the same terms as that about a new lead."""
    message = notification.event.data.get("message", "") if notification.event else ""
    return _mail(notification, "New message", message)


def assigned_mail(notification: Notification) -> EmailMessage | None:
    """Build the mail about the lead; None when the owner wants none or the lead is gone."""
    return _mail(notification, "New lead")


def _mail(notification: Notification, heading: str, message: str = "") -> EmailMessage | None:
    owner = notification.recipient
    leads = Lead.objects.select_related("contact", "company", "form")
    lead = leads.filter(pk=notification.data["lead"]).first()
    if not lead or lead.contact.is_erased or not owner.notify_by_email:
        return None
    return EmailMessage(
        _subject(heading, lead), _body(lead, message or lead.message), None, [owner.email]
    )


def _subject(heading: str, lead: Lead) -> str:
    return " ".join(f"{heading}: {lead}".split())


def _body(lead: Lead, message: str) -> str:
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
    return "\n\n".join(filter(None, ("\n".join(lines), message, link))) + "\n"
