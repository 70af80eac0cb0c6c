"""Put a batch of submissions onto leads, in few statements however many they are."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from leadgen.accounts.models import User
from leadgen.capture.models import Submission
from leadgen.events.services import Fact, emit_many
from leadgen.leads import default_pipeline, lookup, routing
from leadgen.leads.intake.contacts import resolve_contacts
from leadgen.leads.intake.items import IntakeItem
from leadgen.leads.models import Lead, LeadSubmission, Stage
from leadgen.lib import bulk


def write_leads(batch: Sequence[IntakeItem]) -> None:
    """Put each submission onto the open lead of its person, or onto a new one; tell the events.

    Call it in a transaction that holds the submissions' rows. Locks are taken in one order
    everywhere: companies, contacts, identities, leads, each sorted.
    """
    resolve_contacts(batch)
    _set_campaigns(batch)
    _set_leads(batch)
    facts = [fact for entry in batch for fact in _join(entry)]
    _save_leads(batch)
    _link(batch)
    emit_many(facts)
    _set_processed(batch)


def _set_campaigns(batch: Sequence[IntakeItem]) -> None:
    campaigns = lookup.campaigns({entry.utm_campaign for entry in batch if entry.utm_campaign})
    for entry in batch:
        entry.campaign = campaigns.get(entry.utm_campaign)


def _set_leads(batch: Sequence[IntakeItem]) -> None:
    # Locked: a colleague may be closing one of them this very moment.
    found = Lead.objects.open().select_for_update(no_key=True).order_by("pk")
    found = found.filter(contact__in={entry.contact.pk for entry in batch})
    leads = {lead.contact_id: lead for lead in found}
    stage = default_pipeline.entry()
    for entry in batch:
        entry.opens = entry.contact.pk not in leads
        if entry.opens:
            leads[entry.contact.pk] = _new_lead(entry, stage)
        entry.lead = leads[entry.contact.pk]
    _assign_owners([entry.lead for entry in batch if entry.opens])


def _new_lead(entry: IntakeItem, stage: Stage) -> Lead:
    return Lead(
        contact_id=entry.contact.pk,
        company_id=entry.contact.company_id,
        form_id=entry.form.pk,
        campaign_id=entry.campaign.pk if entry.campaign else None,
        pipeline_id=stage.pipeline_id,
        stage_id=stage.pk,
        source=entry.source[:100],
        medium=entry.medium[:100],
        created_at=entry.submission.received_at,
        last_activity_at=entry.submission.received_at,
    )


def _assign_owners(leads: Sequence[Lead]) -> None:
    people = list(User.objects.taking_leads()) if leads else []
    if people:
        for lead, turn in zip(leads, _turns(len(leads)), strict=True):
            lead.give_to(routing.owner(turn, people))


def _turns(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('leads_turn') FROM generate_series(1, %s)", [count])
        return [turn for (turn,) in cursor.fetchall()]


def _join(entry: IntakeItem) -> Iterator[Fact]:
    """Count the submission in its lead; say what the timeline will show, in order."""
    lead, message = entry.lead, entry.facts.message
    lead.submissions_count += 1
    lead.last_activity_at = max(lead.last_activity_at, entry.submission.received_at)
    lead.message = lead.message or message
    origin = _origin(entry)
    if entry.opens:
        yield Fact("lead.created", lead, origin)
    another = {"message": message} if message and message != lead.message else {}
    yield Fact("lead.submission_added", lead, {**origin, **another, **_conflicts(entry)})
    if entry.opens and lead.owner_id:
        yield Fact("lead.assigned", lead, {"owner": lead.owner_id, "by": "round robin"})


def _origin(entry: IntakeItem) -> dict[str, Any]:
    return {
        "receipt": entry.receipt,
        "form": entry.form.title,
        "source": entry.source,
        "medium": entry.medium,
        "campaign": entry.campaign.name if entry.campaign else "",
    }


def _conflicts(entry: IntakeItem) -> dict[str, Any]:
    differing = {"changed": entry.differing} if entry.differing else {}
    return {**differing, **({"possible_duplicate": entry.other.pk} if entry.other else {})}


def _save_leads(batch: Sequence[IntakeItem]) -> None:
    known = {entry.lead.pk: entry.lead for entry in batch if entry.lead.pk}
    bulk.update(list(known.values()), ["submissions_count", "last_activity_at", "message"])
    bulk.create([entry.lead for entry in batch if entry.opens])


def _link(batch: Sequence[IntakeItem]) -> None:
    now, reasons = timezone.now(), LeadSubmission.Reason
    rows = [
        {
            "lead_id": entry.lead.pk,
            "submission_id": entry.submission.pk,
            "reason": reasons.NEW if entry.opens else reasons.MATCHED,
            "created_at": now,
        }
        for entry in batch
    ]
    bulk.insert(LeadSubmission, rows)


def _set_processed(batch: Sequence[IntakeItem]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE capture_submission SET state = %s, processed_at = statement_timestamp(), "
            "next_at = NULL, last_error = '' WHERE id = ANY(%s::uuid[])",
            [Submission.State.PROCESSED, [entry.receipt for entry in batch]],
        )
