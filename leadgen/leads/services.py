"""Verbs of leads: each is one transaction that locks the lead and emits its event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from leadgen.accounts.models import User
from leadgen.events.services import Fact, emit, emit_many
from leadgen.leads.history import acts
from leadgen.leads.models import Lead, Note, Stage, Task
from leadgen.lib.dates import check_moment

NOTE_MAX_LENGTH = 10_000
TITLE_MAX_LENGTH = 200
_EXCERPT_LENGTH = 280


@transaction.atomic
def move(lead: Lead, stage: Stage, *, actor: User, seen: int | None = None) -> int | None:
    """Move the lead to a stage of its pipeline; emit lead.stage_changed {from, to, type}.

    A won or lost stage closes the lead, an open one reopens it; the status follows. The current
    stage changes nothing. ``seen`` is the stage that the actor saw. Return the event's id, for
    undo. Raise ValidationError for a stage of another pipeline, and when the lead has left the
    stage that the actor saw.
    """
    lock(lead)
    if stage.pipeline_id != lead.pipeline_id:
        text = gettext("%(stage)s is not a stage of the pipeline %(pipeline)s.")
        raise ValidationError({"stage": text % {"stage": stage, "pipeline": lead.pipeline}})
    if stage.pk == lead.stage_id:
        return None
    if seen not in (None, lead.stage_id):
        raise ValidationError(acts.who_moved(lead))
    before, now = lead.stage.name, timezone.now()
    undo = acts.state_before(lead, now)
    lead.enter(stage, now)
    lead.save()
    data = {"from": before, "to": stage.name, "stage": stage.pk, "type": stage.type, "undo": undo}
    return emit("lead.stage_changed", lead, actor=actor, data=data).pk


@transaction.atomic
def assign(
    lead: Lead, owner: User | None, *, actor: User | None, seen: int | None = None
) -> int | None:
    """Set or remove the owner of the lead, and the owner's team; emit lead.assigned.

    The current owner changes nothing; a lead without an owner keeps its team. ``seen`` is the owner
    that the actor saw, 0 for none. Return the event's id, for undo. Raise ValidationError for a
    deactivated person, and when the lead has another owner than the actor saw.
    """
    lock(lead)
    require_active(owner)
    if seen not in (None, lead.owner_id or 0) and owner != lead.owner:
        raise ValidationError(acts.who_assigned(lead))
    fact = change_owner(lead, owner, timezone.now())
    if fact is None:
        return None
    lead.save()
    return emit_many([fact], actor=actor)[0]


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
    undo = acts.state_before(lead, now)
    lead.set_owner(owner)
    lead.last_activity_at = now
    data = {"owner": lead.owner_id, "previous": previous, "undo": undo}
    return Fact("lead.assigned", lead, data)


@transaction.atomic
def add_note(lead: Lead, body: str, *, actor: User) -> Note:
    """Add a note; emit lead.note_added {note, excerpt}; raise ValidationError for an empty body."""
    body = _text("body", body, NOTE_MAX_LENGTH)
    lock(lead)
    note = Note.objects.create(lead=lead, body=body, author=actor)
    _respond(lead)
    data = {"note": note.pk, "excerpt": _excerpt(body)}
    emit("lead.note_added", lead, actor=actor, data=data)
    return note


@transaction.atomic
def add_task(
    lead: Lead, title: str, *, due_at: datetime | None, owner: User | None, actor: User
) -> Task:
    """Add a task, the actor's own unless another owner is named; emit lead.task_added.

    Raise ValidationError for an empty title, a date out of range, or a deactivated owner.
    """
    owner = owner or actor
    require_active(owner)
    title = _text("title", title, TITLE_MAX_LENGTH)
    if due_at:
        check_moment(due_at)
    lock(lead)
    task = Task.objects.create(lead=lead, title=title, due_at=due_at, owner=owner, created_by=actor)
    _touch(lead)
    due = due_at.isoformat() if due_at else None
    _emit_task("lead.task_added", task, actor, {"due_at": due, "owner": owner.pk})
    return task


@transaction.atomic
def complete_task(task: Task, *, actor: User) -> int | None:
    """Complete a task; emit lead.task_completed; return the event's id, for undo.

    A completed task stays unchanged.
    """
    lock(task.lead)
    task.refresh_from_db()
    if task.done_at is not None:
        return None
    fact = complete(task, task.lead, timezone.now())
    task.save()
    task.lead.save()
    return emit_many([fact], actor=actor)[0]


def complete(task: Task, lead: Lead, now: datetime) -> Fact:
    """Complete an open task of a locked lead, both unsaved; return lead.task_completed."""
    undo = acts.state_before(lead, now)
    task.done_at = now
    lead.respond(now)
    return task_fact("lead.task_completed", task, {"undo": undo})


@transaction.atomic
def reopen_task(task: Task, *, actor: User) -> None:
    """Reopen a task; emit lead.task_reopened. An open task stays unchanged.

    A task that was not done answered nobody: a first response that its completion set is withdrawn.
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
    _emit_task("lead.task_reopened", task, actor, more)


def lock(lead: Lead) -> None:
    """Lock the lead and read it again."""
    # Concurrent verbs run one after the other, each on the result of the previous one.
    lead.refresh_from_db(from_queryset=Lead.objects.select_for_update(no_key=True))


def _touch(lead: Lead) -> None:
    lead.last_activity_at = timezone.now()
    lead.save(update_fields=["last_activity_at"])


def _respond(lead: Lead) -> None:
    lead.respond(timezone.now())
    lead.save()


def _emit_task(kind: str, task: Task, actor: User, more: Mapping[str, Any] | None = None) -> None:
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
