"""Visibility rules and QuerySets: leads by owner and team, other rows through their leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.apps import apps
from django.db import models, transaction
from django.db.models import Exists, F, Func, OuterRef, Q, TextField, Value
from django.db.models.functions import NullIf

from leadgen.accounts.models import User
from leadgen.accounts.roles import Role, Visibility
from leadgen.capture.models import ON_NO_LEAD, Submission
from leadgen.leads import conditions

if TYPE_CHECKING:
    from datetime import datetime

    from leadgen.leads.models import Company, Contact, Lead, Task  # noqa: F401 - named in strings

_Row = TypeVar("_Row", bound=models.Model)


class LeadQuerySet(models.QuerySet["Lead"]):
    def visible_to(self, user: User) -> Self:
        """Return the leads that the user may see; the only place that decides it."""
        if user.sees == Visibility.ALL:
            return self
        if user.sees == Visibility.TEAM and user.team_id:
            return self.filter(Q(team=user.team_id) | Q(owner=user.pk))
        return self.filter(owner=user.pk)

    def open(self) -> Self:
        """Return the leads that are neither won nor lost."""
        return self.filter(conditions.OPEN)

    def unanswered(self) -> Self:
        """Return the open leads without a first response."""
        return self.filter(conditions.UNANSWERED)

    def unowned(self) -> Self:
        """Return the open leads without an owner."""
        return self.filter(conditions.UNOWNED)

    def won(self) -> Self:
        return self.filter(conditions.WON)

    def lost(self) -> Self:
        return self.filter(conditions.LOST)


class _SeenThroughLeads(models.QuerySet[_Row]):
    """Rows that are visible with one of their leads; ``path`` is the lookup from lead to row."""

    path: ClassVar[str]

    def visible_to(self, user: User) -> Self:
        """Return the rows with a lead that the user may see."""
        if user.sees == Visibility.ALL:
            return self
        return self.filter(Exists(_leads_of(user).filter(**{self.path: OuterRef("pk")})))


class ContactQuerySet(_SeenThroughLeads["Contact"]):
    path = "contact"

    def matching(self, text: str) -> Self:
        """Return the contacts whose search text contains every word, at most five.

        A word of one or two letters matches the beginning of a word only: a trigram index cannot
        find it elsewhere.
        """
        contacts = self
        for word in text.split()[:5]:
            begins = Q(search__istartswith=word) | Q(search__icontains=f" {word}")
            contacts = contacts.filter(begins if len(word) < 3 else Q(search__icontains=word))
        return contacts

    @transaction.atomic
    def index_with(self, company: str) -> int:
        """Update the search text of these contacts of one company with one statement.

        The text equals that of Contact.index(). Rows are locked by id first, as intake locks them.
        """
        list(self.select_for_update(no_key=True).order_by("pk").values_list("pk"))
        values = [NullIf(F(name), Value("")) for name in ("name", "email", "phone")]
        parts = (Value(" "), *values, NullIf(Value(company), Value("")))
        return self.update(search=Func(*parts, function="concat_ws", output_field=TextField()))


class CompanyQuerySet(_SeenThroughLeads["Company"]):
    path = "contact__company"


class TaskQuerySet(_SeenThroughLeads["Task"]):
    path = "tasks"

    def open(self) -> Self:
        return self.filter(conditions.TASK_OPEN)

    def done(self) -> Self:
        return self.exclude(conditions.TASK_OPEN)

    def due_before(self, moment: datetime) -> Self:
        """Return the open tasks that are due before the moment; with now, the overdue ones."""
        return self.open().filter(due_at__lt=moment)


def submissions_visible_to(user: User) -> models.QuerySet[Submission]:
    """Return the submissions that the user may see.

    These are the ones on visible leads and, with the permission to release and retry, all that are
    on no lead.
    """
    if user.sees == Visibility.ALL:
        return Submission.objects.all()
    # EXISTS and the state, not a join: OR over a join of a million links takes minutes.
    seen = Q(Exists(_leads_of(user).filter(links__submission=OuterRef("pk"))))
    if user.has_perm("capture.change_submission"):
        seen |= ON_NO_LEAD
    return Submission.objects.filter(seen)


def _leads_of(user: User) -> Any:
    return apps.get_model("leads", "Lead").objects.visible_to(user)


def owners_for(user: User) -> models.QuerySet[User]:
    """Return the users that this user may assign a lead to: the active ones who work leads.

    With team visibility only members of the same team.
    """
    people = User.objects.filter(is_active=True).exclude(role__in=[Role.MARKETER, Role.VIEWER])
    return people.filter(team=user.team_id) if user.sees == "team" and user.team_id else people
