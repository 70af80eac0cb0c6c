"""Visibility rules of leads, of the rows around leads, and of submissions."""

from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from leadgen.accounts.models import User
from leadgen.accounts.roles import Role, Visibility
from leadgen.accounts.visibility import Rule, all_rows, register
from leadgen.capture.models import ON_NO_LEAD, Submission
from leadgen.leads.models import Campaign, Company, Contact, Lead, Note, Pipeline, Stage, Task

# The lookup that leads from a lead to a value of the row; a row shows to users who see one of its
# leads. A task names its lead: a join back to the tasks would read every task of the reader.
_PATHS: dict[type[Model], tuple[str, str]] = {
    Contact: ("contact", "pk"),
    Company: ("contact__company", "pk"),
    Task: ("pk", "lead"),
    Note: ("pk", "lead"),
}


def register_rules() -> None:
    """Register the rules of this package's models, and of submissions, which depend on leads."""
    register(Lead, _leads)
    register(Submission, _submissions)
    for model, (path, column) in _PATHS.items():
        register(model, _through_leads(path, column))
    for model in (Pipeline, Stage, Campaign):
        register(model, all_rows)


def owners_for(user: User) -> QuerySet[User]:
    """Return the active users to whom this user may assign a lead.

    A user who sees one team's leads assigns within that team; every other user to any.
    """
    people = User.objects.working()
    return people.filter(team=user.team_id) if user.sees == "team" and user.team_id else people


def sees(user: User, lead: Lead) -> bool:
    """Return whether visible(Lead, user) has the lead, without a query."""
    if user.sees == Visibility.ALL or lead.owner_id == user.pk:
        return True
    if lead.team_id is None:
        return _sees_teamless(user)
    return user.sees == Visibility.TEAM and lead.team_id == user.team_id


def may_own_task(user: User, lead: Lead) -> bool:
    """Return whether a task on the lead is in a list of this user, who may complete it."""
    return user.works_leads and sees(user, lead)


def _sees_teamless(user: User) -> bool:
    # A lead of no team, such as one without an owner, has no manager of its own: all see it.
    return user.sees == Visibility.TEAM and user.role == Role.SALES_MANAGER


def _leads(leads: QuerySet[Any], user: User) -> QuerySet[Any]:
    if user.sees == Visibility.ALL:
        return leads
    shown = Q(owner=user.pk)
    if user.sees == Visibility.TEAM and user.team_id:
        shown |= Q(team=user.team_id)
    if _sees_teamless(user):
        shown |= Q(team=None)
    return leads.filter(shown)


def _through_leads(path: str, column: str) -> Rule:
    def rule(rows: QuerySet[Any], user: User) -> QuerySet[Any]:
        if user.sees == Visibility.ALL:
            return rows
        return rows.filter(
            Exists(_leads(Lead.objects.all(), user).filter(**{path: OuterRef(column)}))
        )

    return rule


def _submissions(submissions: QuerySet[Any], user: User) -> QuerySet[Any]:
    """Narrow to the submissions on visible leads.

    A user who may release or retry submissions also sees all that are on no lead yet.
    """
    if user.sees == Visibility.ALL:
        return submissions
    # EXISTS and the state, not a join: OR over a join of a million links takes minutes.
    leads = _leads(Lead.objects.all(), user)
    visible = Q(Exists(leads.filter(links__submission=OuterRef("pk"))))
    if user.has_perm("capture.change_submission"):
        visible |= ON_NO_LEAD
    return submissions.filter(visible)
