"""What a person does to a lead; each verb is one transaction and writes its event."""

from datetime import datetime

from leadgen.accounts.models import User
from leadgen.leads.models import Lead, Note, Stage, Task


def move(lead: Lead, stage: Stage, *, actor: User) -> None:
    """Put the lead into a stage of its pipeline; emit lead.stage_changed {from, to}.

    A won or lost stage closes the lead, an open one opens it again; the status follows. The same
    stage again changes nothing. Raise ValidationError for a stage of another pipeline.
    """
    raise NotImplementedError


def assign(lead: Lead, owner: User | None, *, actor: User | None) -> None:
    """Give the lead to a person (and that person's team) or to nobody; emit lead.assigned."""
    raise NotImplementedError


def add_note(lead: Lead, body: str, *, actor: User) -> Note:
    """Write a note; emit lead.note_added {note, excerpt}. Raise ValidationError when empty."""
    raise NotImplementedError


def add_task(
    lead: Lead, title: str, *, due_at: datetime | None, owner: User | None, actor: User
) -> Task:
    """Add a task, the actor's own unless another owner is named; emit lead.task_added."""
    raise NotImplementedError


def complete_task(task: Task, *, actor: User) -> None:
    """Tick a task off; emit lead.task_completed; done already changes nothing."""
    raise NotImplementedError


def reopen_task(task: Task, *, actor: User) -> None:
    """Undo complete_task; emit lead.task_reopened."""
    raise NotImplementedError
