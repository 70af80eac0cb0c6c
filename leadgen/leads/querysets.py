"""QuerySets of leads, contacts and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.aggregates import StringAgg
from django.db import models, transaction
from django.db.models import F, Func, OuterRef, Q, Subquery, TextField, Value
from django.db.models.functions import Greatest, Lower, NullIf, Substr

from leadgen.accounts.models import User
from leadgen.leads import conditions
from leadgen.lib.search.matching import matching

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

    def matching(self, text: str) -> Self:
        """Return the leads whose contact has every word and number of the text."""
        return matching(self, "contact__search", text)


class ContactQuerySet(models.QuerySet["Contact"]):
    def matching(self, text: str) -> Self:
        """Return the contacts whose search key contains every word and number of the text."""
        return matching(self, "search", text)

    @transaction.atomic
    def reindex(self) -> int:
        """Write the search text of these contacts with one statement; return their number.

        The text equals that of Contact.index(). Rows are locked by id first, as intake locks them.
        """
        list(self.select_for_update(no_key=True).order_by("pk").values_list("pk"))
        parts = (Value(" "), *self._search_parts())
        return self.update(search=Func(*parts, function="concat_ws", output_field=TextField()))

    def _search_parts(self) -> tuple[Any, ...]:
        columns = [NullIf(F(name), Value("")) for name in ("name", "email", "phone")]
        company = self._related("company").filter(pk=OuterRef("company")).values("name")
        every = (Value(r"\D"), Value(""), Value("g"))
        digits = Func("phone", *every, function="regexp_replace", output_field=TextField())
        typed = NullIf(NullIf(digits, Substr("phone", 2)), Value(""))
        identities = self._related("identities").filter(contact=OuterRef("pk")).order_by()
        others = identities.exclude(value=Lower(OuterRef("email"))).exclude(value=OuterRef("phone"))
        joined = StringAgg("value", " ", order_by="pk")
        known_as = others.values("contact").annotate(joined=joined).values("joined")
        return (*columns, Subquery(company), typed, Subquery(known_as))

    def _related(self, name: str) -> models.QuerySet[Any]:
        related: Any = self.model._meta.get_field(name).related_model
        return related._default_manager.all()  # type: ignore[no-any-return]


class TaskQuerySet(models.QuerySet["Task"]):
    def open(self) -> Self:
        return self.filter(conditions.TASK_OPEN)

    def done(self) -> Self:
        return self.filter(conditions.TASK_DONE)

    def unowned(self) -> Self:
        """Return the open tasks without an owner who may work them, as for leads."""
        not_working = conditions.TASK_OPEN & Q(owner__in=_not_working())
        return self.filter(conditions.TASK_UNOWNED | not_working)

    def due_before(self, moment: datetime) -> Self:
        """Return the open tasks that are due before the moment; with now, the overdue ones."""
        return self.open().filter(due_at__lt=moment)


def _not_working() -> list[int]:
    return list(User.objects.not_working().values_list("pk", flat=True))
