"""Balance sheet of submissions: each one is accounted for, or listed with its problem."""

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
    """Number of submissions with the same state, parked mark, lead link and reasons."""

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
        """The reason why these submissions are unaccounted for, or an empty string."""
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

    ``spooled`` is the number of waiting and parked ones in the spool; None when the storage is
    unavailable.
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
    """Count the whole ledger in one consistent snapshot: a full pass, not for requests."""
    # The spool first: an object replayed meanwhile is counted twice rather than not at all.
    depth = _spool()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        groups = [Group(**row) for row in _groups()]
        balance = add_up(groups, _faults([group for group in groups if group.problem]))
    return with_spool(balance, depth)


def add_up(groups: Sequence[Group], faults: list[Fault]) -> BalanceSheet:
    """Add groups up by place; groups with a problem are unaccounted for."""
    accounted = Counter[str]()
    for group in groups:
        if not group.problem:
            accounted[group.place] += group.count
    return BalanceSheet(
        at=timezone.now(),
        places={place: accounted[place] for place in PLACES},
        unaccounted=sum(group.count for group in groups if group.problem),
        oldest_waiting=min(
            (group.oldest for group in groups if group.oldest and group.place == "waiting"),
            default=None,
        ),
        faults=faults,
    )


def with_spool(balance: BalanceSheet, depth: store.Depth | None) -> BalanceSheet:
    """Add the spool's objects to the waiting and the parked submissions."""
    if depth is None:
        return replace(balance, spooled=None)
    in_spool = {"waiting": depth.waiting, "parked": depth.parked}
    places = {place: count + in_spool.get(place, 0) for place, count in balance.places.items()}
    oldest = min(filter(None, (balance.oldest_waiting, depth.oldest)), default=None)
    return replace(balance, places=places, oldest_waiting=oldest, spooled=sum(in_spool.values()))


def _spool() -> store.Depth | None:
    try:
        return store.depth()
    except Exception as error:
        logger.warning("spool unavailable, storage cannot be read: %s", error)
        return None


def _rows() -> Any:  # QuerySet of dictionaries: django-stubs has no name for its type
    def flag(condition: models.Q) -> Any:
        return models.ExpressionWrapper(condition, output_field=models.BooleanField())

    return (
        Submission.objects.order_by()
        .annotate(
            parked=flag(PARKED),
            linked=flag(models.Q(link__isnull=False)),
            explained=flag(~(QUARANTINED & models.Q(reasons=[]))),
        )
        .values("state", "parked", "linked", "explained")
    )


def _groups() -> Any:
    return _rows().annotate(count=models.Count("pk"), oldest=models.Min("received_at"))


def _faults(groups: Sequence[Group]) -> list[Fault]:
    faults: list[Fault] = []
    for group in groups:
        same_kind = _rows().filter(
            state=group.state, parked=group.parked, linked=group.linked, explained=group.explained
        )
        receipts = same_kind.order_by("received_at").values_list("pk", flat=True)[:SHOWN]
        faults += [Fault(str(receipt), group.problem) for receipt in receipts]
    return faults[:SHOWN]
