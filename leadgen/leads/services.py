"""Verbs of leads: each is one transaction that locks the lead and emits its event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from leadgen.accounts.models import User
from leadgen.events.actors import Actor, ActorType, actor_of
from leadgen.events.services import Fact, emit, emit_many
from leadgen.leads.history import acts
from leadgen.leads.models import Lead, Note, Stage, Task
from leadgen.leads.ownership import task_owners
from leadgen.leads.ownership.lead_owners import (
    change_owner,
    renew_owner,
    require_task_owner,
    require_working,
)
from leadgen.leads.ownership.task_owners import task_fact
from leadgen.lib.dates import check_moment
from leadgen.lib.edits import apply_values

NOTE_MAX_LENGTH = 10_000
TITLE_MAX_LENGTH = 200
_EXCERPT_LENGTH = 280


@transaction.atomic
def move(
    lead: Lead, stage: Stage, *, actor: Actor | User | None, seen: int | None = None
) -> int | None:
    """Move the lead to a stage of its pipeline; emit lead.stage_changed {from, to, type}.

    A won or lost stage closes the lead, an open one reopens it; the status follows. The owner of a
    closed lead may have left or changed team since: a reopened lead loses that owner (emit
    lead.assigned) or gets the owner's team. The current stage changes nothing. ``seen`` is the
    stage that the actor saw. Return the event's id, for undo. Raise ValidationError for a stage of
    another pipeline, and when the lead has left the stage that the actor saw.
    """
    lock(lead)
    # Its type decides the status: update_pipeline must not change the type at the same time.
    stage.refresh_from_db(from_queryset=Stage.objects.select_for_update(no_key=True))
    if stage.pipeline_id != lead.pipeline_id:
        text = gettext("%(stage)s is not a stage of the pipeline %(pipeline)s.")
        raise ValidationError({"stage": text % {"stage": stage, "pipeline": lead.pipeline}})
    if stage.pk == lead.stage_id:
        return None
    if seen not in (None, lead.stage_id):
        raise ValidationError(acts.who_moved(lead))
    before, was_open, now = lead.stage.name, lead.is_open, timezone.now()
    undo = acts.state_before(lead, now)
    record_act(lead, actor, now)
    lead.enter(stage, now)
    facts = renew_owner(lead) if lead.is_open and not was_open else []
    lead.save()
    data = {"from": before, "to": stage.name, "stage": stage.pk, "type": stage.type, "undo": undo}
    return emit_many([Fact("lead.stage_changed", lead, data), *facts], actor=actor)[0]


@transaction.atomic
def assign(
    lead: Lead, owner: User | None, *, actor: Actor | User | None, seen: int | None = None
) -> int | None:
    """Set or remove the owner of the lead, and the owner's team; emit lead.assigned.

    Open tasks of the previous owner, and of persons who do not see the lead any more, follow it:
    emit lead.task_assigned for each. The current owner changes nothing; a lead without an owner
    keeps its team. ``seen`` is the owner that the actor saw, 0 for none. Return the event's id, for
    undo. Raise ValidationError for a person who may not work leads, and when the lead has another
    owner than the actor saw.
    """
    lock(lead)
    require_working(owner)
    if seen not in (None, lead.owner_id or 0) and owner != lead.owner:
        raise ValidationError(acts.who_assigned(lead))
    previous = lead.owner_id
    fact = change_owner(lead, owner, timezone.now())
    if fact is None:
        return None
    lead.save()
    return emit_many([fact, *task_owners.follow([lead], {lead.pk: previous})], actor=actor)[0]


@transaction.atomic
def add_note(lead: Lead, body: str, *, actor: Actor | User | None) -> Note:
    """Add a note; emit lead.note_added {note, excerpt}; raise ValidationError for an empty body."""
    body = _text("body", body, NOTE_MAX_LENGTH)
    lock(lead)
    note = Note.objects.create(lead=lead, body=body, author_id=actor_of(actor).user_id)
    _respond(lead, actor)
    data = {"note": note.pk, "excerpt": _excerpt(body)}
    emit("lead.note_added", lead, actor=actor, data=data)
    return note


@transaction.atomic
def add_task(
    lead: Lead,
    title: str,
    *,
    due_at: datetime | None,
    owner: User | None,
    actor: Actor | User | None,
) -> Task:
    """Add a task, the actor's own unless another owner is named; emit lead.task_added.

    A task that a program adds without naming an owner has none. Raise ValidationError for an empty
    title, a date out of range, or an owner who may not work leads or does not see this one.
    """
    title = _text("title", title, TITLE_MAX_LENGTH)
    if due_at:
        check_moment(due_at)
    lock(lead)
    author = actor_of(actor).user_id
    if owner is None and isinstance(actor, User):
        owner = actor
    if owner:
        require_task_owner(owner, lead, author)
    owner_id = owner.pk if owner else author
    task = Task.objects.create(
        lead=lead, title=title, due_at=due_at, owner_id=owner_id, created_by_id=author
    )
    _touch(lead)
    due = due_at.isoformat() if due_at else None
    _emit_task("lead.task_added", task, actor, {"due_at": due, "owner": owner_id})
    return task


@transaction.atomic
def assign_task(task: Task, owner: User | None, *, actor: Actor | User | None) -> None:
    """Set or remove the owner of a task; emit lead.task_assigned. The same owner changes nothing.

    Raise ValidationError for a person who may not work leads or does not see this one.
    """
    lock(task.lead)
    task.refresh_from_db(fields=["owner"])
    if owner:
        require_task_owner(owner, task.lead, actor_of(actor).user_id)
    if facts := task_owners.set_owners([(task, owner)]):
        _touch(task.lead)
        emit_many(facts, actor=actor)


@transaction.atomic
def complete_task(task: Task, *, actor: Actor | User | None) -> int | None:
    """Complete a task; emit lead.task_completed; return the event's id, for undo.

    A completed task stays unchanged.
    """
    lock(task.lead)
    task.refresh_from_db()
    if task.done_at is not None:
        return None
    fact = complete(task, task.lead, actor, timezone.now())
    task.save()
    task.lead.save()
    return emit_many([fact], actor=actor)[0]


def complete(task: Task, lead: Lead, actor: Actor | User | None, now: datetime) -> Fact:
    """Complete an open task of a locked lead, both unsaved; return lead.task_completed."""
    undo = acts.state_before(lead, now)
    task.done_at = now
    record_act(lead, actor, now)
    return task_fact("lead.task_completed", task, {"undo": undo})


@transaction.atomic
def reopen_task(task: Task, *, actor: Actor | User | None) -> None:
    """Reopen a task; emit lead.task_reopened. An open task stays unchanged.

    A task that was not done answered nobody: a first response that its completion set is withdrawn.
    If its owner may not work it any more, it goes to the owner of the lead: lead.task_assigned.
    """
    lock(task.lead)
    task.refresh_from_db()
    if task.done_at is None:
        return
    task.done_at = None
    task.save()
    more = {}
    if completed := acts.completion_of(task):
        acts.withdraw_response(task.lead, completed)
        more = {"undo_of": completed.pk}
    task.lead.last_activity_at = timezone.now()
    task.lead.save()
    facts = [task_fact("lead.task_reopened", task, more), *task_owners.settle([task])]
    emit_many(facts, actor=actor)


@transaction.atomic
def update_task(task: Task, values: Mapping[str, Any], *, actor: Actor | User | None) -> None:
    """Set title, due_at or owner of a task; emit task.changed {changes}, and lead.task_assigned.

    Equal values change nothing. Raise ValidationError for an empty title, a date out of range, or
    an owner who may not work leads or does not see this one.
    """
    values = dict(values)
    if "owner" in values:
        assign_task(task, values.pop("owner"), actor=actor)
    if "title" in values:
        values["title"] = _text("title", values["title"], TITLE_MAX_LENGTH)
    lock(task.lead)
    if changes := apply_values(task, values):
        task.save(update_fields=changes)
        emit("task.changed", task, actor=actor, data={"changes": list(changes)})


@transaction.atomic
def delete_task(task: Task, *, actor: Actor | User | None) -> None:
    """Delete a task; emit task.deleted {name}."""
    lock(task.lead)
    emit("task.deleted", task, actor=actor, data={"name": task.title})
    task.delete()


def lock(lead: Lead) -> None:
    """Lock the lead and read it again."""
    # Concurrent verbs run one after the other, each on the result of the previous one.
    lead.refresh_from_db(from_queryset=Lead.objects.select_for_update(no_key=True))


def _touch(lead: Lead) -> None:
    lead.last_activity_at = timezone.now()
    lead.save(update_fields=["last_activity_at"])


def _respond(lead: Lead, actor: Actor | User | None) -> None:
    record_act(lead, actor, timezone.now())
    lead.save()


def record_act(lead: Lead, actor: Actor | User | None, now: datetime) -> None:
    """Record an act on a locked lead, unsaved; only that of a person answers the visitor."""
    if actor_of(actor).type == ActorType.USER:
        lead.respond(now)
    else:
        lead.last_activity_at = now


def _emit_task(
    kind: str, task: Task, actor: Actor | User | None, more: Mapping[str, Any] | None = None
) -> None:
    emit_many([task_fact(kind, task, more)], actor=actor)


def _text(field: str, value: str, longest: int) -> str:
    # HTML posts each line break as CRLF; the limit counts it once, as the page does.
    value = value.replace("\r\n", "\n").strip()
    if not value:
        raise ValidationError({field: gettext("Write something first.")})
    if len(value) > longest:
        text = gettext("Write at most %(limit)s characters.")
        raise ValidationError({field: text % {"limit": f"{longest:,}"}})
    if "\0" in value:
        raise ValidationError({field: gettext("Remove the null character.")})
    return value


def _excerpt(body: str) -> str:
    if len(body) <= _EXCERPT_LENGTH:
        return body
    return body[: _EXCERPT_LENGTH - 1].rstrip() + "…"
