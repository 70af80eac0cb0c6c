"""Data of a lead's page, read in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from leadgen.accounts.models import User
from leadgen.accounts.visibility import visible
from leadgen.capture.models import Submission
from leadgen.capture.presentation import ShownAnswer, answers_of, consents_of, origin_of
from leadgen.events.models import Event
from leadgen.leads.models import Lead, Stage
from leadgen.leads.timeline import TimelineItem, describe, people
from leadgen.leads.visibility import owners_for
from leadgen.workspace.kit.html import in_words

LINES = 30
_MAX_SUBMISSIONS = 10
_TASKS = 50
# Keys of a submission's event that the line of the new lead does not show.
_EXTRA_KEYS = {"message", "changed", "possible_duplicate"}


@dataclass(frozen=True, slots=True)
class LeadSubmissionView:
    """One submission of the lead as texts."""

    submission: Submission
    answers: list[ShownAnswer]
    opened_the_lead: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the pipeline; ``passed`` is an open stage before the lead's own."""

    stage: Stage
    current: bool
    passed: bool


def gather(lead: Lead, user: User, *, before: int | None = None) -> dict[str, Any]:
    """Return the template's context; ``before`` is the event id below which the timeline starts."""
    submissions = _submissions(lead)
    open_tasks = list(lead.tasks.open().select_related("owner")[:_TASKS])
    lines, older = timeline(lead, user, before)
    return {
        "lead": lead,
        "contact": lead.contact,
        "identities": _identities(lead),
        "steps": _steps(lead, user),
        "owners": _owners(lead, user),
        "open_tasks": open_tasks,
        "done_tasks": lead.tasks.done().select_related("owner")[:5],
        "lines": lines,
        "older": older,
        "submissions": submissions,
        "consents": consents_of(
            consent for each in submissions for consent in each.submission.consents
        ),
        "now": timezone.now(),
        "response": in_words(_response(lead)),
        **_received(lead, submissions),
        "other_leads": _other_leads(lead, user),
        "may_work": user.has_perm("leads.change_lead"),
        **_origin(submissions),
    }


def find(user: User, pk: int | str) -> Lead | None:
    """Return the lead with its related rows, or None if the user may not see it."""
    related = ("contact__company", "company", "stage", "owner", "team", "campaign", "form")
    return visible(Lead, user).select_related(*related).filter(pk=pk).first()


def timeline(lead: Lead, user: User, before: int | None) -> tuple[list[TimelineItem], int | None]:
    """Return a page of items, newest first, and the event id below which the next page starts."""
    events = lead.timeline()
    page = list((events.filter(pk__lt=before) if before else events)[: LINES + 1])
    shown = page[:LINES]
    names = dict(visible(User, user).filter(pk__in=people(shown)).values_list("pk", "name"))
    notes = _notes(lead, shown)
    lines = [_line(event, names, notes) for event in shown if not _is_repeated(event, shown)]
    return lines, shown[-1].pk if len(page) > LINES else None


def _is_repeated(event: Event, shown: list[Event]) -> bool:
    """Tell whether the event is only the submission that opened the lead, shown by its own line."""
    if event.kind != "lead.submission_added" or event.data.keys() & _EXTRA_KEYS:
        return False
    receipt = event.data.get("receipt")
    opened = [each.data.get("receipt") for each in shown if each.kind == "lead.created"]
    return bool(receipt) and receipt in opened


def _line(event: Event, names: dict[int, str], notes: dict[int, str]) -> TimelineItem:
    line = describe(event, names)
    body = notes.get(event.data.get("note", 0))
    return replace(line, detail=body) if body else line


def _notes(lead: Lead, events: Iterable[Event]) -> dict[int, str]:
    """Return the full texts of the notes; their events have an excerpt only."""
    ids = [event.data["note"] for event in events if "note" in event.data]
    return dict(lead.notes.filter(pk__in=ids).values_list("pk", "body")) if ids else {}


def _steps(lead: Lead, user: User) -> list[Step]:
    own = visible(Stage, user).filter(pipeline=lead.pipeline_id)
    stages = list(own.order_by("position", "id"))
    at = next((i for i, stage in enumerate(stages) if stage.pk == lead.stage_id), 0)
    return [
        Step(stage, current=i == at, passed=i < at and stage.type == Stage.Type.OPEN)
        for i, stage in enumerate(stages)
    ]


def _owners(lead: Lead, user: User) -> list[User]:
    owners = list(owners_for(user))
    if lead.owner and lead.owner not in owners:
        owners.append(lead.owner)
    return owners


def _identities(lead: Lead) -> list[str]:
    shown = {lead.contact.email.lower(), lead.contact.phone}
    values = lead.contact.identities.values_list("value", flat=True)[:20]
    return [value for value in values if value not in shown]


def _submissions(lead: Lead) -> list[LeadSubmissionView]:
    links = lead.links.select_related("submission__version", "submission__form")
    return [
        LeadSubmissionView(
            link.submission,
            answers_of(link.submission.version.read(), link.submission.answers),
            link.reason == link.Reason.NEW,
        )
        for link in links.order_by(F("submission__received_at").desc(), "-pk")[:_MAX_SUBMISSIONS]
    ]


def _received(lead: Lead, submissions: list[LeadSubmissionView]) -> dict[str, Any]:
    """Return the receipt of the submission that opened the lead; it may be released days later."""
    opening = next((each.submission for each in submissions if each.opened_the_lead), None)
    if opening is None or opening.released_at is None:
        return {"received": lead.created_at, "released": False}
    return {"received": opening.received_at, "released": True}


def _origin(submissions: list[LeadSubmissionView]) -> dict[str, list[ShownAnswer]]:
    """Return the latest visit of the newest submission, the first visit of the oldest one shown."""
    contexts = [each.submission.context for each in submissions] or [{}]
    before = contexts[-1] if len(contexts) > 1 else {}
    first = contexts[-1].get("first_touch") or before
    touches = {"first_touch": origin_of(first), "last_touch": origin_of(contexts[0])}
    if touches["first_touch"] == touches["last_touch"]:
        return {"only_touch": touches["last_touch"]}
    return touches


def _response(lead: Lead) -> timedelta | None:
    return lead.first_response_at - lead.created_at if lead.first_response_at else None


def _other_leads(lead: Lead, user: User) -> QuerySet[Lead]:
    others = visible(Lead, user).filter(contact=lead.contact_id).exclude(pk=lead.pk)
    return others.select_related("stage")[:5]
