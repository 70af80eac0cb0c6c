"""Batches that run abreast in one process keep out of each other's way.

Of two that meet the same new person the later one would wait for the other's commit, and then look
again. Here it leaves what that person has sent to a later batch.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import partial
from threading import Lock

from leadgen.leads.entries import Entry
from leadgen.leads.matching import Key

Take = Callable[[Sequence[Entry]], list[Entry]]
"""Takes a batch's entries and returns those whose person no other batch is at, in order."""


class Persons:
    """Whom the batches are at, by what those persons are known by."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: set[Key] = set()

    @contextmanager
    def batch(self) -> Iterator[Take]:
        """Hold for one batch whom it takes, until the end: commit before that."""
        mine: set[Key] = set()
        try:
            yield partial(self._take, mine)
        finally:
            with self._lock:
                self._held -= mine

    def _take(self, mine: set[Key], entries: Sequence[Entry]) -> list[Entry]:
        with self._lock:
            taken = list(_apart(entries, self._held - mine))
            mine.update(*(entry.facts.keys for entry in taken))
            self._held |= mine
        return taken


def _apart(entries: Sequence[Entry], others: AbstractSet[Key]) -> Iterator[Entry]:
    for entry in entries:
        if others.isdisjoint(entry.facts.keys):
            yield entry
        else:
            # Whoever shares an identity with one that is left may be the same person: in order.
            others |= set(entry.facts.keys)
