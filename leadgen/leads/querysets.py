"""QuerySets of leads, contacts and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models, transaction
from django.db.models import F, Func, Q, TextField, Value
from django.db.models.functions import Greatest, NullIf

from leadgen.accounts.models import User
from leadgen.leads import conditions

if TYPE_CHECKING:
    from datetime import datetime

    from leadgen.leads.models import Contact, Lead, Task  # noqa: F401 - named in strings


# Greatest ignores NULL in PostgreSQL. The partial index lead_waiting has this order.
LATEST_ENQUIRY_FIRST = (Greatest("created_at", "new_message_at").desc(), F("id").desc())


class LeadQuerySet(models.QuerySet["Lead"]):
    def open(self) -> Self:
        """Return the leads that are neither won nor lost."""
        return self.filter(conditions.OPEN)

    def unanswered(self) -> Self:
        """Return the open leads whose person waits for an answer: to the first or a new message."""
        return self.filter(conditions.UNANSWERED)

    def unowned(self) -> Self:
        """Return the open leads without an owner who may work them.

        An owner who was deactivated or whose role only reads counts as none. Their ids are read
        first: with a join PostgreSQL would read every open lead.
        """
        return self.filter(conditions.UNOWNED | (conditions.OPEN & Q(owner__in=_not_working())))

    def won(self) -> Self:
        return self.filter(conditions.WON)

    def lost(self) -> Self:
        return self.filter(conditions.LOST)


class ContactQuerySet(models.QuerySet["Contact"]):
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


class TaskQuerySet(models.QuerySet["Task"]):
    def open(self) -> Self:
        return self.filter(conditions.TASK_OPEN)

    def done(self) -> Self:
        return self.exclude(conditions.TASK_OPEN)

    def unowned(self) -> Self:
        """Return the open tasks without an owner who may work them, as for leads."""
        not_working = conditions.TASK_OPEN & Q(owner__in=_not_working())
        return self.filter(conditions.TASK_UNOWNED | not_working)

    def due_before(self, moment: datetime) -> Self:
        """Return the open tasks that are due before the moment; with now, the overdue ones."""
        return self.open().filter(due_at__lt=moment)


def _not_working() -> list[int]:
    return list(User.objects.not_working().values_list("pk", flat=True))
