"""Acts on a lead as its events record them: the state before, later acts, and who did them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from leadgen.events.models import Event
from leadgen.leads import lifecycle
from leadgen.leads.models import Lead, Task

# Acts of a person that answer the visitor (leads/lifecycle.py).
_RESPONSES = ("lead.note_added", "lead.stage_changed", "lead.task_completed")
# Later events that one undo reads: more acts within the minutes of an undo are no person's.
_MAX_LATER = 500


def state_before(lead: Lead, now: datetime) -> dict[str, Any]:
    """Return the columns that an act at ``now`` may overwrite, as the payload ``undo``."""
    return {
        "at": now.isoformat(),
        "stage": lead.stage_id,
        "status": lead.status,
        "owner": lead.owner_id,
        "team": lead.team_id,
        "closed_at": _text(lead.closed_at),
        "first_response_at": _text(lead.first_response_at),
        "new_message_at": _text(lead.new_message_at),
        "last_activity_at": _text(lead.last_activity_at),
    }


def later_than(lead: Lead, event: Event) -> QuerySet[Event]:
    """Return the events about the lead after this one, oldest first."""
    return Event.objects.about(lead).filter(pk__gt=event.pk).order_by("pk")


def tasks_moved_by(lead: Lead, assignment: Event) -> dict[int, tuple[int | None, int | None]]:
    """Return former and next owner of each task that followed the lead in this assignment."""
    same_act = later_than(lead, assignment).filter(transaction=assignment.transaction)
    rows = same_act.filter(kind="lead.task_assigned").values_list("data", flat=True)
    return {data["task"]: (data["previous"], data["owner"]) for data in rows}


def completion_of(task: Task) -> Event | None:
    """Return the latest event that completed the task."""
    events = Event.objects.about(task.lead).filter(kind="lead.task_completed", data__task=task.pk)
    return events.order_by("-pk").first()


def withdraw_response(lead: Lead, event: Event) -> bool:
    """Withdraw the first response if this act set it; a later response becomes the first.

    Set status, last_activity_at and the unanswered message back as well, unless later acts set
    them. Return whether there
    is a later response. Saves nothing.
    """
    if not (undo := event.data.get("undo")):
        return True
    at = parse_datetime(undo["at"])
    later = _first_response(later_than(lead, event)[:_MAX_LATER])
    if lead.first_response_at in (at, event.at):
        lead.first_response_at = later.at if later else None
    if not later:
        lead.status = status_before(lead, undo)
        if message := undo.get("new_message_at"):
            lead.new_message_at = lead.new_message_at or parse_datetime(message)
    if lead.last_activity_at == at:
        lead.last_activity_at = parse_datetime(undo["last_activity_at"]) or lead.last_activity_at
    return later is not None


def status_before(lead: Lead, undo: dict[str, Any]) -> str:
    """Return the status before the act, as it would be with the owner that the lead has now."""
    status = str(undo["status"])
    if undo["first_response_at"] and not lead.first_response_at:
        status = lifecycle.after_withdrawal(status)  # an earlier response was undone as well
    elif lead.owner_id == undo["owner"]:
        return status
    return lifecycle.after_assignment(status, owned=lead.owner_id is not None)


def who_moved(lead: Lead) -> str:
    """Name the latest move of the lead, for a refusal."""
    moved = Event.objects.about(lead).filter(kind="lead.stage_changed").order_by("-pk").first()
    details = {"stage": lead.stage.name}
    if moved is None:
        return gettext("This lead is in %(stage)s now. Nothing was changed.") % details
    text = gettext("%(person)s moved this lead to %(stage)s on %(time)s. Nothing was changed.")
    return text % (details | signature(moved))


def who_assigned(lead: Lead) -> str:
    """Name the latest assignment of the lead, for a refusal."""
    assigned = Event.objects.about(lead).filter(kind="lead.assigned").order_by("-pk").first()
    details = {"owner": str(lead.owner or gettext("nobody"))}
    if assigned is None:
        return gettext("The owner is %(owner)s now. Nothing was changed.") % details
    text = gettext("%(person)s assigned this lead to %(owner)s on %(time)s. Nothing was changed.")
    return text % (details | signature(assigned))


def signature(event: Event) -> dict[str, str]:
    """Return who did the act and when, as texts."""
    at = timezone.localtime(event.at)
    return {"person": event.author.label, "time": f"{at:%-d %b %Y, %H:%M}"}


def _first_response(later: Iterable[Event]) -> Event | None:
    """Return the first response that no undo withdrew; an undo itself is no response."""
    events = list(later)
    withdrawn = {event.data.get("undo_of") for event in events}
    for event in events:
        is_response = event.kind in _RESPONSES and "undo_of" not in event.data
        if is_response and event.pk not in withdrawn:
            return event
    return None


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
