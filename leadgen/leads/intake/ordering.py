"""Batches that run abreast in one process stay in order, person by person.

Of two that meet the same new person the later one would wait in PostgreSQL for the other's commit,
and then look again. Here it works everybody else first, and that person once the other has ended.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock

from leadgen.leads.intake.items import IntakeItem
from leadgen.leads.intake.matching import Key


@dataclass(eq=False)
class Batch:
    """One batch at work: whom it is at, by what they are known by, and which were there before."""

    keys: set[Key] = field(default_factory=set)
    before: list["Batch"] = field(default_factory=list)
    ended: Event = field(default_factory=Event)

    def wait(self) -> None:
        """Return once those have ended that were at work when this one split its entries."""
        for other in self.before:
            other.ended.wait()


class BatchOrdering:
    """The batches at work in this process.

    Hold ``turn`` from a batch's claim to the end of its split: who claims first comes first.
    """

    def __init__(self) -> None:
        self.turn = Lock()
        self._at_work: list[Batch] = []

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """One batch, from before its claim until after its last commit."""
        batch = Batch()
        try:
            yield batch
        finally:
            batch.ended.set()
            batch.before.clear()  # or each would hold on to all that ever were before it

    def split(
        self, batch: Batch, entries: Sequence[IntakeItem]
    ) -> tuple[list[IntakeItem], list[IntakeItem]]:
        """Return what can be worked now, and what concerns persons that others are at."""
        self._at_work = [other for other in self._at_work if not other.ended.is_set()]
        batch.before = list(self._at_work)
        batch.keys.update(*(entry.facts.keys for entry in entries))
        self._at_work.append(batch)
        return _split(entries, set().union(*(other.keys for other in batch.before)))


def _split(
    entries: Sequence[IntakeItem], busy: Collection[Key]
) -> tuple[list[IntakeItem], list[IntakeItem]]:
    taken, now, later = set(busy), [], []
    for entry in entries:
        if taken.isdisjoint(entry.facts.keys):
            now.append(entry)
        else:
            # Whoever shares an identity with one of these may be the same person: in order.
            taken.update(entry.facts.keys)
            later.append(entry)
    return now, later
