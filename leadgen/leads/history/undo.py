"""Undo of a move, an assignment or a completed task: restore what the act changed, nothing else."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.models import Team, User
from leadgen.events.actors import ActorType
from leadgen.events.models import Event
from leadgen.events.services import emit, emit_many
from leadgen.leads import lifecycle, services
from leadgen.leads.history import acts
from leadgen.leads.models import Lead, Stage
from leadgen.leads.ownership import task_owners
from leadgen.leads.ownership.lead_owners import renew_owner, require_working

_LATER = {
    "lead.stage_changed": _("%(person)s moved this lead to %(to)s on %(time)s."),
    "lead.assigned": _("%(person)s changed the owner on %(time)s."),
}
_KEPT = _("%(reason)s Nothing was undone.")


@transaction.atomic
def undo(lead: Lead, event_id: int, *, actor: User) -> str:
    """Undo the actor's own act on the lead; return what was restored, as a sentence.

    Stage, owner, team, status, closing, first response and last activity become what they were,
    as far as no later act set them. Emit the act's kind with ``undo_of``, or lead.task_reopened.
    Raise ValidationError, which names the person, when a later act would be taken back, and when
    the earlier state is no longer possible.
    """
    services.lock(lead)
    event = _own_act(lead, event_id, actor)
    return _UNDO[event.kind](lead, event, actor)


def undo_unseen(lead_id: int, event_id: int, *, actor: User) -> str:
    """Undo as ``undo`` does, on a lead that the actor may not see any more."""
    lead = Lead.objects.filter(pk=lead_id).first()
    if lead is None:
        raise ValidationError(_KEPT % {"reason": gettext("The lead was deleted.")})
    return undo(lead, event_id, actor=actor)


def _own_act(lead: Lead, event_id: int, actor: User) -> Event:
    mine = Event.objects.about(lead).filter(
        pk=event_id, actor_type=ActorType.USER, actor_key=str(actor.pk), kind__in=_UNDO
    )
    event = mine.first()
    if event is None or "undo" not in event.data or "undo_of" in event.data:
        raise ValidationError(_KEPT % {"reason": gettext("This act cannot be undone.")})
    return event


def _undo_move(lead: Lead, event: Event, actor: User) -> str:
    _refuse_later(lead, event)
    state = event.data["undo"]
    stage = Stage.objects.filter(pk=state["stage"], pipeline=lead.pipeline_id).first()
    if stage is None or lifecycle.closes(stage.type) != bool(state["closed_at"]):
        text = gettext("The stage %(name)s was changed or removed in the meantime.")
        raise ValidationError(_KEPT % {"reason": text % {"name": event.data["from"]}})
    before = lead.stage
    if acts.withdraw_response(lead, event):
        lead.status = lifecycle.after_response(state["status"])
    lead.stage = stage
    lead.closed_at = parse_datetime(state["closed_at"]) if state["closed_at"] else None
    facts = renew_owner(lead) if lead.is_open and lifecycle.closes(before.type) else []
    lead.save()
    data = {"from": before.name, "to": stage.name, "stage": stage.pk, "type": stage.type}
    _emit(event, lead, data, actor)
    emit_many(facts, actor=actor)
    return gettext("Moved back to %(stage)s.") % {"stage": stage.name}


def _undo_assignment(lead: Lead, event: Event, actor: User) -> str:
    _refuse_later(lead, event)
    state, previous = event.data["undo"], lead.owner_id
    owner = User.objects.filter(pk=state["owner"]).first() if state["owner"] else None
    require_working(owner)
    is_status_of_act = lead.status == lifecycle.after_assignment(
        state["status"], owned=previous is not None
    )
    lead.set_owner(owner)
    if owner is None:  # an owner decides the team, which may be another one by now
        lead.team = Team.objects.filter(pk=state["team"]).first() if state["team"] else None
    if is_status_of_act:
        lead.status = state["status"]
    if lead.last_activity_at.isoformat() == state["at"]:
        lead.last_activity_at = parse_datetime(state["last_activity_at"]) or timezone.now()
    lead.save()
    _emit(event, lead, {"owner": lead.owner_id, "previous": previous}, actor)
    emit_many(task_owners.give_back(lead, acts.tasks_moved_by(lead, event)), actor=actor)
    if owner is None:
        return gettext("This lead has no owner again.")
    return gettext("Assigned to %(name)s again.") % {"name": owner.name}


def _undo_completion(lead: Lead, event: Event, actor: User) -> str:
    task = lead.tasks.filter(pk=event.data["task"]).first()
    if task is None:
        reason = gettext("The task was deleted in the meantime.")
        raise ValidationError(_KEPT % {"reason": reason})
    latest = acts.completion_of(task)
    if task.done_at is None or latest is None or latest.pk != event.pk:
        reason = gettext("The task was reopened in the meantime.")
        raise ValidationError(_KEPT % {"reason": reason})
    acts.withdraw_response(lead, event)
    task.done_at = None
    task.save()
    lead.save()
    task.lead = lead
    reopened = task_owners.task_fact("lead.task_reopened", task, {"undo_of": event.pk})
    emit_many([reopened, *task_owners.settle([task])], actor=actor)
    return gettext("Task reopened.")


def _refuse_later(lead: Lead, event: Event) -> None:
    """Refuse to take back what another act of the same kind did later."""
    if later := acts.later_than(lead, event).filter(kind=event.kind).last():
        details = acts.signature(later) | {"to": later.data.get("to", "")}
        raise ValidationError(_KEPT % {"reason": _LATER[event.kind] % details})


def _emit(event: Event, lead: Lead, data: dict[str, Any], actor: User) -> None:
    emit(event.kind, lead, actor=actor, data={**data, "undo_of": event.pk})


_UNDO: dict[str, Callable[[Lead, Event, User], str]] = {
    "lead.stage_changed": _undo_move,
    "lead.assigned": _undo_assignment,
    "lead.task_completed": _undo_completion,
}
