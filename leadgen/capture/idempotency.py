"""Idempotency keys of the hosted form: which posts of one page are the same submission.

Each act (one sending of the form) of a visit has a number. Visit and number are the idempotency
key, so that the unique index decides between two posts in flight. A page with JavaScript numbers
its acts: the same content again is the same act, changed content is the next act. Without
JavaScript the post is compared with the latest act of the visit (ADR 0024).
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Self
from uuid import UUID

import msgspec

from leadgen.capture.ledger.lookup import Known, KnownByKey
from leadgen.capture.ledger.record import SubmissionRecord, WriteResult, WriteStatus

# Acts of one visit that are compared. Every later post is an act of its own: a robot that sends one
# page a thousand times costs three statements a post instead of thousands.
MAX_ACTS = 50
# Lost races for the next number after which a post becomes an act of its own.
MAX_TRIES = 5

_KEY = re.compile(r"(page|visit):([0-9a-f]{64}):(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a visit; ``is_numbered`` when the page's script sent the number."""

    visit: str
    number: int
    is_numbered: bool

    @classmethod
    def of_visit(cls, visit: str, number: int) -> Self:
        """Return an act numbered by the page's script, ``visit`` is the script's id."""
        return cls(_hash(visit), number, is_numbered=True)

    @classmethod
    def of_page(cls, nonce: str) -> Self:
        """Return the first act of a page without JavaScript, known by its token's nonce."""
        return cls(_hash(nonce), 1, is_numbered=False)

    @classmethod
    def of_key(cls, key: str | None) -> Self | None:
        """Read an idempotency key; None for a key of any other origin."""
        match = _KEY.fullmatch(key or "")
        return match and cls(match[2], int(match[3]), is_numbered=match[1] == "visit")

    @property
    def key(self) -> str:
        """The idempotency key of this act."""
        return f"{'visit' if self.is_numbered else 'page'}:{self.visit}:{self.number}"

    def later(self, steps: int) -> "Act":
        """Return the act of the same visit whose number is larger by ``steps``."""
        return Act(self.visit, self.number + steps, self.is_numbered)

    def keys(self) -> list[str]:
        """Return the keys of this act and of the next MAX_ACTS."""
        return [self.later(steps).key for steps in range(MAX_ACTS + 1)]


Write = Callable[[SubmissionRecord], Awaitable[WriteResult]]
Find = Callable[[list[str]], Awaitable[KnownByKey]]


async def write_act(row: SubmissionRecord, act: Act, write: Write, find: Find) -> WriteResult:
    """Write the row under the key of this act, unless the visit's latest act has the same content.

    Usually one write and no look-up. A repeat without JavaScript costs one look-up, a further act
    one look-up and one write. Raise what ``write`` and ``find`` raise.
    """
    current = act
    for _ in range(MAX_TRIES):
        outcome = await write(row)
        if is_final(outcome, current, act):
            return outcome
        known = await find(act.keys())
        step = next_step(row, act, outcome, known, latest(known.values()))
        if isinstance(step, WriteResult):
            return step
        if step is None:
            break
        current, row = step, with_key(row, step.key)
    return await write(with_key(row, None))


def is_final(outcome: WriteResult, current: Act, act: Act) -> bool:
    """Return whether no later act needs a look: the row was written, or its own number is taken."""
    is_own_number = act.is_numbered and current == act
    return outcome.status in (WriteStatus.STORED, WriteStatus.SPOOLED) or (
        outcome.status is WriteStatus.REPEATED and is_own_number
    )


def next_step(
    row: SubmissionRecord,
    act: Act,
    outcome: WriteResult,
    known: KnownByKey,
    neighbours: Iterable[Known],
) -> WriteResult | Act | None:
    """Return the final result of a row whose key is taken, or the act to try next.

    ``known`` are the acts from ``act`` on; a neighbour of the same content makes the row a repeat.
    None when there are too many acts to compare: the row is then written without a key.
    """
    taken = [step for step, key in enumerate(act.keys()) if key in known]
    if not taken:
        return outcome if outcome.status is WriteStatus.REPEATED else act.later(1)
    if taken[-1] == MAX_ACTS:
        return None
    for neighbour in neighbours:
        if neighbour.fingerprint == row.fingerprint:
            return WriteResult(WriteStatus.REPEATED, neighbour.receipt)
    return act.later(taken[-1] + 1)


def latest(known: Collection[Known]) -> list[Known]:
    """Return the visit's latest act: what arrives now comes after all that are known."""
    return [max(known, key=_receipt)] if known else []


def beside(receipt: UUID, known: Collection[Known]) -> list[Known]:
    """Return the acts received just before and just after a row that was kept in the spool.

    Later acts may have been written while the row waited, so the latest one is not enough.
    """
    before = [each for each in known if each.receipt < receipt]
    after = [each for each in known if each.receipt > receipt]
    return [*latest(before), *([min(after, key=_receipt)] if after else [])]


def _receipt(known: Known) -> UUID:
    return known.receipt  # a UUID of version 7 begins with the time


def with_key(row: SubmissionRecord, key: str | None) -> SubmissionRecord:
    """Return a copy of the row with another idempotency key."""
    return msgspec.structs.replace(row, idempotency_key=key)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
