"""Order of parallel batches in one process: submissions of one person stay in order of receipt.

Without it, the later of two batches with the same new person would wait in PostgreSQL for the
other's commit and match again. It processes all other persons first instead, and that person when
the other batch has ended (ADR 0015).
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock

from leadgen.leads.intake.items import IntakeItem
from leadgen.leads.intake.matching import Key


@dataclass(eq=False)
class Batch:
    """One running batch: the identities of its persons, and the batches that started before it."""

    keys: set[Key] = field(default_factory=set)
    before: list["Batch"] = field(default_factory=list)
    ended: Event = field(default_factory=Event)

    def wait(self) -> None:
        """Return when the batches have ended that ran when this one split its items."""
        for other in self.before:
            other.ended.wait()


class BatchOrdering:
    """The running batches of this process.

    Hold ``claim_lock`` from a batch's claim to the end of its split: batches are then ordered by
    their claims.
    """

    def __init__(self) -> None:
        self.claim_lock = Lock()
        self._running: list[Batch] = []

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """Register one batch, from before its claim until after its last commit."""
        batch = Batch()
        try:
            yield batch
        finally:
            batch.ended.set()
            batch.before.clear()  # or each batch would keep all earlier ones in memory

    def split_by_person(
        self, batch: Batch, items: Sequence[IntakeItem]
    ) -> tuple[list[IntakeItem], list[IntakeItem]]:
        """Return the items to process now, and those of persons that are in earlier batches."""
        self._running = [other for other in self._running if not other.ended.is_set()]
        batch.before = list(self._running)
        batch.keys.update(*(item.details.keys for item in items))
        self._running.append(batch)
        return _split(items, set().union(*(other.keys for other in batch.before)))


def _split(
    items: Sequence[IntakeItem], busy: Collection[Key]
) -> tuple[list[IntakeItem], list[IntakeItem]]:
    busy_keys, now, later = set(busy), [], []
    for item in items:
        if busy_keys.isdisjoint(item.details.keys):
            now.append(item)
        else:
            # An item that shares an identity with this one may be of the same person: in order.
            busy_keys.update(item.details.keys)
            later.append(item)
    return now, later
