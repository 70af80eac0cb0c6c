"""What leads do when something has happened; listed in leadgen/pipeline.py."""

from django.conf import settings
from django.core.mail import send_mail

from leadgen.accounts.models import User
from leadgen.events.models import Event
from leadgen.leads.models import Lead


def on_lead_assigned(event: Event) -> None:
    """Mail the new owner, unless the owner took the lead or wants no mail; raise if SMTP fails."""
    owner_id = event.data.get("owner")
    if not owner_id or owner_id == event.actor_id:
        return
    owner = User.objects.filter(pk=owner_id, is_active=True, notify_by_email=True).first()
    lead = Lead.objects.select_related("contact", "company", "form").filter(pk=event.subject_id)
    if owner and (found := lead.first()):
        send_mail(_subject(found), _body(found), None, [owner.email])


def _subject(lead: Lead) -> str:
    return " ".join(f"New lead: {lead}".split())


def _body(lead: Lead) -> str:
    contact = lead.contact
    told = {
        "Name": contact.name,
        "Company": str(lead.company or ""),
        "Email": contact.email,
        "Phone": contact.phone,
        "Form": str(lead.form or ""),
        "Source": " / ".join(filter(None, (lead.source, lead.medium))),
    }
    lines = [f"{label}: {value}" for label, value in told.items() if value]
    link = f"{settings.PUBLIC_URL}/admin/leads/lead/{lead.pk}/change/"
    return "\n\n".join(filter(None, ("\n".join(lines), lead.message, link))) + "\n"
