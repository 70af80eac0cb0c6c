"""Write the leads of a batch: a fixed number of statements for any number of submissions."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from leadgen.accounts.models import User
from leadgen.capture.services import mark_processed
from leadgen.events.services import Fact, emit_many
from leadgen.leads import default_pipeline, lookup, routing
from leadgen.leads.intake.contacts import resolve_contacts
from leadgen.leads.intake.items import IntakeItem
from leadgen.leads.models import Lead, LeadSubmission, Stage
from leadgen.lib import bulk

_JOINED = ("submissions_count", "last_activity_at", "message", "new_message_at")


def write_leads(batch: Sequence[IntakeItem]) -> None:
    """Attach each submission to the open lead of its person, or to a new one; emit the events.

    Call it in a transaction that has locked the submissions. Locks are taken in one order
    everywhere: companies, contacts, identities, leads, each sorted.
    """
    resolve_contacts(batch)
    _set_campaigns(batch)
    _set_leads(batch)
    facts = [fact for item in batch for fact in _join(item)]
    _save_leads(batch)
    _link(batch)
    emit_many(facts)
    mark_processed([entry.receipt for entry in batch])


def _set_campaigns(batch: Sequence[IntakeItem]) -> None:
    campaigns = lookup.campaigns({item.utm_campaign for item in batch if item.utm_campaign})
    for item in batch:
        item.campaign = campaigns.get(item.utm_campaign)


def _set_leads(batch: Sequence[IntakeItem]) -> None:
    # Locked: a person may close one of these leads at the same time.
    rows = Lead.objects.open().select_for_update(no_key=True).order_by("pk")
    rows = rows.filter(contact__in={item.contact.pk for item in batch})
    leads = {lead.contact_id: lead for lead in rows}
    stage = default_pipeline.first_stage()
    for item in batch:
        item.opens = item.contact.pk not in leads
        if item.opens:
            leads[item.contact.pk] = _new_lead(item, stage)
        item.lead = leads[item.contact.pk]
    _assign_owners([item.lead for item in batch if item.opens])


def _new_lead(item: IntakeItem, stage: Stage) -> Lead:
    return Lead(
        contact_id=item.contact.pk,
        company_id=item.contact.company_id,
        form_id=item.form.pk,
        campaign_id=item.campaign.pk if item.campaign else None,
        pipeline_id=stage.pipeline_id,
        stage_id=stage.pk,
        source=item.source[:100],
        medium=item.medium[:100],
        # A released submission comes to sales now: to the front, and the clock starts now.
        created_at=item.submission.passed_on_at,
        last_activity_at=item.submission.passed_on_at,
    )


def _assign_owners(leads: Sequence[Lead]) -> None:
    people = list(User.objects.taking_leads()) if leads else []
    if people:
        for lead, turn in zip(leads, _turns(len(leads)), strict=True):
            lead.set_owner(routing.owner(turn, people))


def _turns(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('leads_turn') FROM generate_series(1, %s)", [count])
        return [turn for (turn,) in cursor.fetchall()]


def _join(item: IntakeItem) -> Iterator[Fact]:
    """Add the submission to its lead; yield the events of the timeline, in order."""
    lead, message, at = item.lead, item.details.message, item.submission.passed_on_at
    is_known = lead.pk is not None  # a lead that this batch opens is at the front already
    lead.submissions_count += 1
    lead.last_activity_at = max(lead.last_activity_at, at)
    lead.message = lead.message or message
    new_message = {"new_message": True} if is_known and lead.receive(at) else {}
    origin = _origin(item)
    if item.opens:
        yield Fact("lead.created", lead, origin)
    other_message = {"message": message} if message and message != lead.message else {}
    details = {**origin, **other_message, **_conflicts(item), **new_message}
    yield Fact("lead.submission_added", lead, details)
    if item.opens and lead.owner_id:
        yield Fact("lead.assigned", lead, {"owner": lead.owner_id, "by": "round robin"})


def _origin(item: IntakeItem) -> dict[str, Any]:
    return {
        "receipt": item.receipt,
        "form": item.form.title,
        "source": item.source,
        "medium": item.medium,
        "campaign": item.campaign.name if item.campaign else "",
    }


def _conflicts(item: IntakeItem) -> dict[str, Any]:
    differing = {"changed": item.differing} if item.differing else {}
    return {**differing, **({"possible_duplicate": item.other.pk} if item.other else {})}


def _save_leads(batch: Sequence[IntakeItem]) -> None:
    existing = {item.lead.pk: item.lead for item in batch if item.lead.pk}
    bulk.update(list(existing.values()), _JOINED)
    bulk.create([item.lead for item in batch if item.opens])


def _link(batch: Sequence[IntakeItem]) -> None:
    now, reasons = timezone.now(), LeadSubmission.Reason
    rows = [
        {
            "lead_id": item.lead.pk,
            "submission_id": item.submission.pk,
            "reason": reasons.NEW if item.opens else reasons.MATCHED,
            "created_at": now,
        }
        for item in batch
    ]
    bulk.insert(LeadSubmission, rows)
