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
from leadgen.leads.models import Lead, Note, Stage, Task
from leadgen.lib.dates import check_moment
from leadgen.lib.edits import apply_values

NOTE_MAX_LENGTH = 10_000
TITLE_MAX_LENGTH = 200
_EXCERPT_LENGTH = 280


@transaction.atomic
def move(lead: Lead, stage: Stage, *, actor: Actor | User | None) -> None:
    """Move the lead to a stage of its pipeline; emit lead.stage_changed {from, to, type}.

    A won or lost stage closes the lead, an open one reopens it; the status follows. The current
    stage changes nothing. Raise ValidationError for a stage of another pipeline.
    """
    _lock(lead)
    # Its type decides the status: update_pipeline must not change the type at the same time.
    stage.refresh_from_db(from_queryset=Stage.objects.select_for_update(no_key=True))
    if stage.pipeline_id != lead.pipeline_id:
        text = gettext("%(stage)s is not a stage of the pipeline %(pipeline)s.")
        raise ValidationError({"stage": text % {"stage": stage, "pipeline": lead.pipeline}})
    if stage.pk == lead.stage_id:
        return
    before, now = lead.stage.name, timezone.now()
    record_act(lead, actor, now)
    lead.enter(stage, now)
    lead.save()
    data = {"from": before, "to": stage.name, "stage": stage.pk, "type": stage.type}
    emit("lead.stage_changed", lead, actor=actor, data=data)


@transaction.atomic
def assign(lead: Lead, owner: User | None, *, actor: Actor | User | None) -> None:
    """Set or remove the owner of the lead, and the owner's team; emit lead.assigned.

    The current owner changes nothing; a lead without an owner keeps its team. Raise
    ValidationError for a deactivated person.
    """
    _lock(lead)
    require_active(owner)
    if fact := change_owner(lead, owner, timezone.now()):
        lead.save()
        emit_many([fact], actor=actor)


def require_active(owner: User | None) -> None:
    """Raise ValidationError for a deactivated owner."""
    if owner and not owner.is_active:
        text = gettext("%(person)s is deactivated; choose another person.")
        raise ValidationError({"owner": text % {"person": owner}})


def change_owner(lead: Lead, owner: User | None, now: datetime) -> Fact | None:
    """Set the owner of a locked lead, unsaved; return lead.assigned, or None for the same owner."""
    previous = lead.owner_id
    if previous == (owner.pk if owner else None):
        return None
    lead.set_owner(owner)
    lead.last_activity_at = now
    return Fact("lead.assigned", lead, {"owner": lead.owner_id, "previous": previous})


@transaction.atomic
def add_note(lead: Lead, body: str, *, actor: Actor | User | None) -> Note:
    """Add a note; emit lead.note_added {note, excerpt}; raise ValidationError for an empty body."""
    body = _text("body", body, NOTE_MAX_LENGTH)
    _lock(lead)
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

    A task that a program adds without naming an owner has none.

    Raise ValidationError for an empty title, a date out of range, or a deactivated owner.
    """
    require_active(owner)
    title = _text("title", title, TITLE_MAX_LENGTH)
    if due_at:
        check_moment(due_at)
    _lock(lead)
    author = actor_of(actor).user_id
    owner_id = owner.pk if owner else author
    task = Task.objects.create(
        lead=lead, title=title, due_at=due_at, owner_id=owner_id, created_by_id=author
    )
    _touch(lead)
    due = due_at.isoformat() if due_at else None
    _emit_task("lead.task_added", task, actor, {"due_at": due, "owner": owner_id})
    return task


@transaction.atomic
def complete_task(task: Task, *, actor: Actor | User | None) -> None:
    """Complete a task; emit lead.task_completed. A completed task stays unchanged."""
    _lock(task.lead)
    task.refresh_from_db()
    if task.done_at is not None:
        return
    task.done_at = timezone.now()
    task.save()
    _respond(task.lead, actor)
    _emit_task("lead.task_completed", task, actor)


@transaction.atomic
def reopen_task(task: Task, *, actor: Actor | User | None) -> None:
    """Reopen a task; emit lead.task_reopened. An open task stays unchanged."""
    _lock(task.lead)
    task.refresh_from_db()
    if task.done_at is None:
        return
    task.done_at = None
    task.save()
    _touch(task.lead)
    _emit_task("lead.task_reopened", task, actor)


@transaction.atomic
def update_task(task: Task, values: Mapping[str, Any], *, actor: Actor | User | None) -> None:
    """Set title, due_at or owner of a task; emit task.changed {changes}.

    Equal values change nothing. Raise ValidationError for an empty title, a date out of range, or a
    deactivated owner.
    """
    if "title" in values:
        values = {**values, "title": _text("title", values["title"], TITLE_MAX_LENGTH)}
    _lock(task.lead)
    changes = apply_values(task, values)
    if "owner" in changes:
        require_active(task.owner)
    if changes:
        task.save(update_fields=changes)
        emit("task.changed", task, actor=actor, data={"changes": list(changes)})


@transaction.atomic
def delete_task(task: Task, *, actor: Actor | User | None) -> None:
    """Delete a task; emit task.deleted {name}."""
    _lock(task.lead)
    emit("task.deleted", task, actor=actor, data={"name": task.title})
    task.delete()


def _lock(lead: Lead) -> None:
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


def task_fact(kind: str, task: Task, more: Mapping[str, Any] | None = None) -> Fact:
    """Return an event about a task, on its lead's timeline."""
    return Fact(kind, task.lead, {"task": task.pk, "title": task.title, **(more or {})})


def _text(field: str, value: str, longest: int) -> str:
    value = value.strip()
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
