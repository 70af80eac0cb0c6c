"""Owners of open tasks: a task follows its lead to a person who sees it and may complete it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from leadgen.accounts.models import User
from leadgen.events.services import Fact
from leadgen.leads.models import Lead, Task
from leadgen.leads.visibility import may_own_task
from leadgen.lib import bulk


def follow(leads: Sequence[Lead], previous: Mapping[int, int | None]) -> list[Fact]:
    """Change the owners of open tasks on leads that changed hands; return lead.task_assigned.

    ``previous`` has the former owner by lead. The tasks of that owner follow the lead to the next
    one, and so do those of persons who do not see the lead any more. The leads are locked.
    """
    by_key = {lead.pk: lead for lead in leads}
    tasks = Task.objects.open().filter(lead__in=by_key).select_related("owner").order_by("pk")
    changes: list[tuple[Task, User | None]] = []
    for task in tasks:
        task.lead = by_key[task.lead_id]
        is_left = task.lead.owner_id is not None and task.owner_id == previous.get(task.lead_id)
        if is_left or not _may_keep(task):
            changes.append((task, _owner_of(task.lead)))
    return set_owners(changes)


def give_back(lead: Lead, moved: Mapping[int, tuple[int | None, int | None]]) -> list[Fact]:
    """Return open tasks to their former owners, unless they went on; return lead.task_assigned.

    ``moved`` has the former and the next owner by task. Tasks whose owner may not work them go to
    the owner of the lead, as in ``settle``.
    """
    tasks = list(Task.objects.open().filter(lead=lead).select_related("owner").order_by("pk"))
    former = User.objects.in_bulk([owner for owner, _ in moved.values() if owner])
    for task in tasks:
        task.lead = lead
    back = [task for task in tasks if task.pk in moved and task.owner_id == moved[task.pk][1]]
    facts = set_owners([(task, former.get(moved[task.pk][0] or 0)) for task in back])
    return [*facts, *settle(tasks)]


def settle(tasks: Iterable[Task], preferred: User | None = None) -> list[Fact]:
    """Change the owner of tasks whose owner may not work them; return lead.task_assigned.

    The next owner is the preferred person if that person may own the task, else the lead's owner,
    else none. The tasks have their lead and both owners loaded.
    """
    return set_owners(
        [(task, _next_owner(task.lead, preferred)) for task in tasks if not _may_keep(task)]
    )


def set_owners(changes: Sequence[tuple[Task, User | None]]) -> list[Fact]:
    """Write the new owners with one statement; return lead.task_assigned for each that differs."""
    changes = [
        (task, owner) for task, owner in changes if task.owner_id != (owner.pk if owner else None)
    ]
    facts = []
    for task, owner in changes:
        previous, task.owner = task.owner_id, owner
        facts.append(
            task_fact("lead.task_assigned", task, {"owner": task.owner_id, "previous": previous})
        )
    bulk.update([task for task, _ in changes], ["owner"])
    return facts


def task_fact(kind: str, task: Task, more: Mapping[str, Any] | None = None) -> Fact:
    """Return an event about a task, on its lead's timeline."""
    return Fact(kind, task.lead, {"task": task.pk, "title": task.title, **(more or {})})


def _may_keep(task: Task) -> bool:
    return task.owner is not None and may_own_task(task.owner, task.lead)


def _next_owner(lead: Lead, preferred: User | None) -> User | None:
    if preferred and may_own_task(preferred, lead):
        return preferred
    return _owner_of(lead)


def _owner_of(lead: Lead) -> User | None:
    return lead.owner if lead.owner and lead.owner.works_leads else None
