"""Backdating of demo rows: times as if the acts had happened over the past weeks."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F, OuterRef, Subquery

from leadgen.capture.models import Submission
from leadgen.events.models import Event
from leadgen.forms.models import Form, FormVersion
from leadgen.leads.models import Company, Contact, Lead, LeadSubmission, Note, Task

_INTAKE_DURATION = timedelta(seconds=2)
_RESPONSES = ("lead.stage_changed", "lead.note_added", "lead.task_completed")


def backdate(times: Iterable[datetime], began: datetime) -> None:
    """Set the times of all demo rows; ``times`` are those of the users' acts, in order."""
    Form.objects.update(created_at=began, updated_at=began)
    FormVersion.objects.update(published_at=began)
    _backdate_ledger()
    _backdate_events(iter(times), began)
    _backdate_leads()
    _backdate_people()


def _backdate_ledger() -> None:
    processed = Submission.objects.filter(state=Submission.State.PROCESSED)
    processed.update(processed_at=F("received_at") + _INTAKE_DURATION)
    received = Submission.objects.filter(pk=OuterRef("submission")).values("received_at")
    LeadSubmission.objects.update(created_at=Subquery(received))


def _backdate_events(times: Iterable[datetime], began: datetime) -> None:
    received = {str(pk): at for pk, at in Submission.objects.values_list("pk", "received_at")}
    created = dict(Lead.objects.values_list("pk", "created_at"))
    acts = iter(times)
    events = list(Event.objects.order_by("id"))
    for event in events:
        if event.subject_type != "lead":
            event.at = began
        elif event.actor_id:
            event.at = next(acts)
        else:
            at = received.get(event.data.get("receipt", ""), created[int(event.subject_id)])
            event.at = at + _INTAKE_DURATION
    Event.objects.bulk_update(events, ["at"])


def _backdate_leads() -> None:
    leads = Lead.objects.in_bulk()
    notes, tasks = Note.objects.in_bulk(), Task.objects.in_bulk()
    for lead in leads.values():
        lead.first_response_at = None
    for event in Event.objects.filter(subject_type="lead").order_by("id"):
        lead = leads[int(event.subject_id)]
        lead.last_activity_at = event.at
        if event.kind in _RESPONSES:
            lead.first_response_at = lead.first_response_at or event.at
        if event.kind == "lead.stage_changed" and lead.closed_at:
            lead.closed_at = event.at
        if event.kind == "lead.note_added":
            notes[event.data["note"]].created_at = event.at
        if event.kind == "lead.task_added":
            tasks[event.data["task"]].created_at = event.at
        if event.kind == "lead.task_completed":
            tasks[event.data["task"]].done_at = event.at
    Lead.objects.bulk_update(
        leads.values(), ["first_response_at", "last_activity_at", "closed_at"], batch_size=100
    )
    Note.objects.bulk_update(notes.values(), ["created_at"], batch_size=200)
    Task.objects.bulk_update(tasks.values(), ["created_at", "done_at"], batch_size=200)


def _backdate_people() -> None:
    first = Lead.objects.order_by("created_at").values("created_at")
    first_lead = Subquery(first.filter(contact=OuterRef("pk"))[:1])
    Contact.objects.update(created_at=first_lead, updated_at=first_lead)
    Company.objects.update(created_at=Subquery(first.filter(company=OuterRef("pk"))[:1]))
