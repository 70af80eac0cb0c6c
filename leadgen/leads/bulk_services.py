"""Bulk verbs of leads and tasks: the rules of services.py in a fixed number of statements.

Each verb is one transaction: it locks the leads in the order of their ids, writes all rows with one
statement and all events with another. Callers pass at most ``row_limit.MAX_ROWS`` rows.
"""

from collections.abc import Sequence
from itertools import cycle

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from leadgen.accounts.models import User
from leadgen.events.actors import Actor
from leadgen.events.services import emit_many
from leadgen.leads.models import Lead, Task
from leadgen.leads.ownership import task_owners
from leadgen.leads.ownership.lead_owners import change_owner, require_working
from leadgen.leads.services import complete
from leadgen.lib import bulk


@transaction.atomic
def assign_leads(keys: Sequence[int], owner: User | None, *, actor: Actor | User | None) -> int:
    """Assign leads to one person or to no owner; emit lead.assigned for each that changes.

    Their open tasks follow as in services.assign. Return the number of changed leads. Raise
    ValidationError for a person who may not work leads.
    """
    require_working(owner)
    return len(deal_leads(locked_leads(keys), [owner], actor=actor))


def deal_leads(
    leads: Sequence[Lead], owners: Sequence[User | None], *, actor: Actor | User | None
) -> list[Lead]:
    """Assign locked leads to these owners in turn, their tasks too; return the changed leads."""
    now = timezone.now()
    previous = {lead.pk: lead.owner_id for lead in leads}
    dealt = zip(leads, cycle(owners), strict=False)
    facts = [fact for lead, owner in dealt if (fact := change_owner(lead, owner, now))]
    changed = {fact.subject.pk for fact in facts}
    rows = [lead for lead in leads if lead.pk in changed]
    bulk.update(rows, ["owner", "team", "status", "last_activity_at"])
    emit_many([*facts, *task_owners.follow(rows, previous)], actor=actor)
    return rows


def locked_leads(keys: Sequence[int]) -> list[Lead]:
    """Lock leads in the order of their ids and load them."""
    return _locked(Lead.objects.filter(pk__in=keys))


@transaction.atomic
def complete_tasks(keys: Sequence[int], *, actor: Actor | User | None) -> int:
    """Complete those that are open; emit lead.task_completed for each; return their number."""
    open_tasks = Task.objects.open().filter(pk__in=keys)
    leads = {lead.pk: lead for lead in _locked(Lead.objects.filter(tasks__in=open_tasks))}
    # Read after the lock: another person may have completed some in the meantime.
    tasks = list(open_tasks.filter(lead__in=leads))
    now = timezone.now()
    facts = []
    for task in tasks:
        task.lead = leads[task.lead_id]
        facts.append(complete(task, task.lead, actor, now))
    bulk.update(tasks, ["done_at"])
    answered = list({task.lead_id: task.lead for task in tasks}.values())
    bulk.update(answered, ["first_response_at", "new_message_at", "last_activity_at", "status"])
    emit_many(facts, actor=actor)
    return len(tasks)


def _locked(leads: QuerySet[Lead]) -> list[Lead]:
    """Lock and load leads without their messages, which may be long."""
    keys = leads.order_by().values("pk")
    rows = Lead.objects.select_for_update(no_key=True).filter(pk__in=keys)
    return list(rows.defer("message").order_by("pk"))
