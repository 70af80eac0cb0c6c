"""Verb that changes a person and hands over the open leads and tasks that the person cannot keep.

A person who is deactivated or gets a role that only reads cannot keep any; one who changes team
takes the open leads along or leaves them. The caller says where they go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext

from leadgen.accounts import services as accounts
from leadgen.accounts.models import User
from leadgen.events.actors import Actor
from leadgen.events.services import Fact, emit_many
from leadgen.leads.bulk_services import deal_leads, locked_leads
from leadgen.leads.models import Lead, Task
from leadgen.leads.ownership import task_owners
from leadgen.leads.ownership.lead_owners import require_working
from leadgen.lib import bulk, row_limit


class Rule(StrEnum):
    """A destination that is no single person."""

    ROUND_ROBIN = "round_robin"
    NO_OWNER = "no_owner"
    ALONG = "along"


Destination = User | Rule
"""A colleague, or a rule; ``ALONG`` keeps the owner and changes the leads' team."""

_ACCESS = frozenset({"is_active", "role", "team", "visibility"})


@dataclass(frozen=True, slots=True)
class OpenWork:
    """The open leads and tasks of a person, counted up to the limit of a request."""

    leads: int
    tasks: int

    @property
    def is_empty(self) -> bool:
        return not (self.leads or self.tasks)

    @property
    def is_over_limit(self) -> bool:
        return self.leads + self.tasks > row_limit.MAX_ROWS

    def __str__(self) -> str:
        return gettext("%(leads)s and %(tasks)s") % {
            "leads": row_limit.in_words(self.leads, Lead),
            "tasks": row_limit.in_words(self.tasks, Task),
        }


def open_work(user: User) -> OpenWork:
    """Count the open leads and tasks of a person; each count stops beyond the limit."""
    return OpenWork(row_limit.capped_count(_leads(user)), row_limit.capped_count(_tasks(user)))


@transaction.atomic
def update_person(
    user: User,
    values: Mapping[str, Any],
    *,
    destination: Destination | None,
    actor: Actor | User | None,
) -> None:
    """Set fields of a user as accounts.services.update_user does, and hand over open work.

    Emit lead.assigned, lead.team_changed and lead.task_assigned for what changes hands. Raise
    ValidationError for ``handover`` when open work needs a destination and has none, or when there
    is more than one request may change. More than that can only lose its owner: it is then
    listed under No owner, with the name of the last one.
    """
    old_team = User.objects.values_list("team", flat=True).get(pk=user.pk)
    accounts.update_user(user, values, actor=actor)
    if not _ACCESS & values.keys():
        return
    work = open_work(user)
    if not user.works_leads:
        if destination == Rule.NO_OWNER and work.is_over_limit:
            return
        _hand_over(user, work, _destination(user, destination, work), actor)
    elif user.team_id != old_team:
        # From no team to the first one: no manager loses the leads.
        _change_team(user, work, destination if old_team else Rule.ALONG, actor)
    _settle_tasks(user, destination, actor)


def _hand_over(user: User, work: OpenWork, where: Destination, actor: Actor | User | None) -> None:
    _require_within_limit(user, work)
    leads = locked_leads(list(_leads(user).values_list("pk", flat=True)))
    deal_leads(leads, _owners(user, where), actor=actor)


def _change_team(
    user: User, work: OpenWork, destination: Destination | None, actor: Actor | User | None
) -> None:
    if destination != Rule.ALONG:
        return _hand_over(user, work, _destination(user, destination, work, along=True), actor)
    _require_within_limit(user, work)
    leads = locked_leads(list(_leads(user).values_list("pk", flat=True)))
    rows = [lead for lead in leads if lead.team_id != user.team_id]
    for lead in rows:
        lead.owner, lead.team_id = user, user.team_id
    bulk.update(rows, ["team"])
    data = {"team": user.team_id, "name": user.team.name if user.team else ""}
    facts = [Fact("lead.team_changed", lead, data) for lead in rows]
    emit_many([*facts, *task_owners.follow(rows, {})], actor=actor)
    return None


def _settle_tasks(user: User, destination: Destination | None, actor: Actor | User | None) -> None:
    """Hand over the open tasks on other persons' leads that the user cannot work any more."""
    tasks = _tasks(user).select_related("lead__owner", "owner").order_by("pk")
    preferred = destination if isinstance(destination, User) else None
    rows = list(tasks.select_for_update(of=("self",), no_key=True)[: row_limit.MAX_ROWS])
    emit_many(task_owners.settle(rows, preferred), actor=actor)


def _destination(
    user: User, destination: Destination | None, work: OpenWork, *, along: bool = False
) -> Destination:
    """Return the destination if it is a possible one, or any where nothing is handed over."""
    if destination is None and work.is_empty:
        return Rule.NO_OWNER
    if destination is None or (destination == Rule.ALONG and not along):
        text = gettext("%(person)s has %(work)s. Choose where they go.")
        raise ValidationError({"handover": text % {"person": user, "work": work}})
    if isinstance(destination, User):
        _require_colleague(user, destination)
    return destination


def _require_colleague(user: User, colleague: User) -> None:
    if colleague.pk == user.pk:
        raise ValidationError({"handover": gettext("Choose another person.")})
    try:
        require_working(colleague)
    except ValidationError as error:
        raise ValidationError({"handover": error.messages}) from error


def _require_within_limit(user: User, work: OpenWork) -> None:
    if not work.is_over_limit:
        return
    text = gettext(
        "%(work)s are more than one step hands over (%(limit)s). Assign some in the list of leads "
        "first."
    )
    if not user.works_leads:
        text += " " + gettext("Or choose “No owner”: they are then listed under No owner.")
    details = {"work": row_limit.sentence(str(work)), "limit": f"{row_limit.MAX_ROWS:,}"}
    raise ValidationError({"handover": text % details})


def _owners(user: User, where: Destination) -> Sequence[User | None]:
    if isinstance(where, User):
        return [where]
    if where == Rule.NO_OWNER:
        return [None]
    people = list(User.objects.taking_leads().exclude(pk=user.pk))
    if not people:
        text = gettext("No other person gets new leads. Choose a colleague or “No owner”.")
        raise ValidationError({"handover": text})
    return people


def _leads(user: User) -> Any:
    return Lead.objects.open().filter(owner=user.pk).order_by("pk")


def _tasks(user: User) -> Any:
    return Task.objects.open().filter(owner=user.pk)
