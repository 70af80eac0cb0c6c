"""The balance sheet of submissions: each one is accounted for, or named with what is wrong."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from leadgen.capture.models import PARKED, PENDING_STATES, QUARANTINED, Submission
from leadgen.capture.spool import store

logger = logging.getLogger(__name__)

SHOWN = 100
PLACES = ("on a lead", "quarantined", "waiting", "parked", "erased")


@dataclass(frozen=True, slots=True)
class Group:
    """Submissions that are alike in everything that accounts for them."""

    state: str
    parked: bool
    linked: bool
    explained: bool
    count: int = 0
    oldest: datetime | None = None

    @property
    def place(self) -> str:
        """Where these submissions are; one of PLACES."""
        if self.state in PENDING_STATES:
            return "parked" if self.parked else "waiting"
        return {"processed": "on a lead"}.get(self.state, self.state)

    @property
    def problem(self) -> str:
        """What is wrong with them, or nothing."""
        if self.place not in PLACES:
            return f"in the unknown state {self.state!r}"
        if self.state == "processed" and not self.linked:
            return "processed, but on no lead"
        if self.linked and self.state not in ("processed", "erased"):
            return f"on a lead, but still {self.place}"
        return "" if self.explained else "in quarantine without a reason"


@dataclass(frozen=True, slots=True)
class Fault:
    receipt: str
    problem: str


@dataclass(frozen=True, slots=True)
class BalanceSheet:
    """The sum of ``places`` and ``unaccounted`` is ``total``; ``faults`` names the first ones.

    ``spooled`` is the part of those waiting and parked that the storage holds; None when it cannot
    be read.
    """

    at: datetime
    places: dict[str, int]
    unaccounted: int = 0
    oldest_waiting: datetime | None = None
    faults: list[Fault] = field(default_factory=list)
    spooled: int | None = 0

    @property
    def total(self) -> int:
        return sum(self.places.values()) + self.unaccounted


def measure() -> BalanceSheet:
    """Count the whole ledger in one consistent snapshot: a full pass, so not for a request."""
    # The spool first: what is replayed meanwhile is counted twice rather than not at all.
    depth = _spool()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        groups = [Group(**row) for row in _groups()]
        balance = add_up(groups, _faults([group for group in groups if group.problem]))
    return with_spool(balance, depth)


def add_up(groups: Sequence[Group], faults: list[Fault]) -> BalanceSheet:
    """Sum groups up by their place; those with a problem are not accounted for."""
    sound = Counter[str]()
    for group in groups:
        if not group.problem:
            sound[group.place] += group.count
    return BalanceSheet(
        at=timezone.now(),
        places={place: sound[place] for place in PLACES},
        unaccounted=sum(group.count for group in groups if group.problem),
        oldest_waiting=min(
            (group.oldest for group in groups if group.oldest and group.place == "waiting"),
            default=None,
        ),
        faults=faults,
    )


def with_spool(balance: BalanceSheet, depth: store.Depth | None) -> BalanceSheet:
    """Add what the storage holds to what waits and what is parked."""
    if depth is None:
        return replace(balance, spooled=None)
    held = {"waiting": depth.waiting, "parked": depth.parked}
    places = {place: count + held.get(place, 0) for place, count in balance.places.items()}
    oldest = min(filter(None, (balance.oldest_waiting, depth.oldest)), default=None)
    return replace(balance, places=places, oldest_waiting=oldest, spooled=sum(held.values()))


def _spool() -> store.Depth | None:
    try:
        return store.depth()
    except Exception as error:
        logger.warning("the spool cannot be read: %s", error)
        return None


def _rows() -> Any:  # a QuerySet of dictionaries; its type cannot be written
    def whether(condition: models.Q) -> Any:
        return models.ExpressionWrapper(condition, output_field=models.BooleanField())

    return (
        Submission.objects.order_by()
        .annotate(
            parked=whether(PARKED),
            linked=whether(models.Q(link__isnull=False)),
            explained=whether(~(QUARANTINED & models.Q(reasons=[]))),
        )
        .values("state", "parked", "linked", "explained")
    )


def _groups() -> Any:
    return _rows().annotate(count=models.Count("pk"), oldest=models.Min("received_at"))


def _faults(groups: Sequence[Group]) -> list[Fault]:
    faults: list[Fault] = []
    for group in groups:
        alike = _rows().filter(
            state=group.state, parked=group.parked, linked=group.linked, explained=group.explained
        )
        receipts = alike.order_by("received_at").values_list("pk", flat=True)[:SHOWN]
        faults += [Fault(str(receipt), group.problem) for receipt in receipts]
    return faults[:SHOWN]
