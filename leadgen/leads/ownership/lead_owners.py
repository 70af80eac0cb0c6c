"""Owners of leads: who may own one, and a change of the owner on a locked lead."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext

from leadgen.accounts.models import User
from leadgen.events.services import Fact
from leadgen.leads.history import acts
from leadgen.leads.models import Lead
from leadgen.leads.ownership import task_owners
from leadgen.leads.visibility import may_own_task


def require_working(owner: User | None) -> None:
    """Raise ValidationError for an owner who is deactivated or whose role only reads."""
    if owner and not owner.is_active:
        text = gettext("%(person)s is deactivated; choose another person.")
        raise ValidationError({"owner": text % {"person": owner}})
    if owner and not owner.works_leads:
        text = gettext("%(person)s may not work leads; choose another person.")
        raise ValidationError({"owner": text % {"person": owner}})


def require_task_owner(owner: User, lead: Lead, author: int | None) -> None:
    """Raise ValidationError for an owner who may not work leads or does not see this one."""
    require_working(owner)
    # The pages and programs act on visible leads only: the author sees this one.
    if owner.pk != author and not may_own_task(owner, lead):
        text = gettext("%(person)s does not see this lead; choose another person.")
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


def renew_owner(lead: Lead) -> list[Fact]:
    """Remove the owner of a reopened lead who may not work it, else set the owner's team; unsaved.

    Return the facts of what changed hands.
    """
    previous, facts = lead.owner_id, []
    if lead.owner and not lead.owner.works_leads:
        fact = change_owner(lead, None, timezone.now())
        facts = [fact] if fact else []
    elif lead.owner:
        lead.team_id = lead.owner.team_id
    return [*facts, *task_owners.follow([lead], {lead.pk: previous})]
