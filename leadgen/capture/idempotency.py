"""Acts of one visit: which posts of a served page are one submission, and which are several.

Each act of a visit has a number, and the pair is the idempotency key, so that the unique index
decides between two posts in flight. A page with JavaScript numbers its acts itself: the same
content again is the same act, changed content is the next one. A page without JavaScript cannot, so
its posts are compared with the visit's latest act (ADR 0024).
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Self

import msgspec

from leadgen.capture.ledger.lookup import Known, KnownByKey
from leadgen.capture.ledger.record import SubmissionRecord, WriteResult, WriteStatus

# Acts of one visit that are compared. Behind them each post is an act of its own, so that a robot
# which sends one page a thousand times costs three statements a post and not thousands.
MOST_ACTS = 50
# Races for a number that one post may lose before it becomes an act of its own.
MOST_TRIES = 5

_KEY = re.compile(r"(page|visit):([0-9a-f]{64}):(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a visit; ``is_numbered`` when the page itself says which one it is."""

    visit: str
    number: int
    is_numbered: bool

    @classmethod
    def of_visit(cls, visit: str, number: int) -> Self:
        """Return an act that the page's script has numbered; ``visit`` is the script's own id."""
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
        """Return the act that is so many steps later in the same visit."""
        return Act(self.visit, self.number + steps, self.is_numbered)

    def later_keys(self) -> list[str]:
        """Return the keys of the next MOST_ACTS acts."""
        return [self.later(steps).key for steps in range(1, MOST_ACTS + 1)]


Write = Callable[[SubmissionRecord], Awaitable[WriteResult]]
Find = Callable[[list[str]], Awaitable[KnownByKey]]


async def write_act(row: SubmissionRecord, act: Act, write: Write, find: Find) -> WriteResult:
    """Write the row, which has this act's key, unless the visit's latest act has its content.

    One write and no look-up in the usual case. A repeat without JavaScript costs one look-up, a
    further act one look-up and one write. Raise what ``write`` and ``find`` raise.
    """
    tried = act
    for _ in range(MOST_TRIES):
        outcome = await write(row)
        if is_final(outcome, tried, act):
            return outcome
        step = next_step(row, tried, outcome, await find(tried.later_keys()))
        if isinstance(step, WriteResult):
            return step
        if step is None:
            break
        tried, row = step, with_key(row, step.key)
    return await write(with_key(row, None))


def is_final(outcome: WriteResult, tried: Act, act: Act) -> bool:
    """Tell whether later acts do not matter: written, or the very act that the page has named."""
    named = act.is_numbered and tried == act
    return outcome.fate in (WriteStatus.STORED, WriteStatus.SPOOLED) or (
        outcome.fate is WriteStatus.REPEATED and named
    )


def next_step(
    row: SubmissionRecord, tried: Act, outcome: WriteResult, later: Mapping[str, Known]
) -> WriteResult | Act | None:
    """Decide for a row whose act is taken: the final outcome, or the act to try next.

    None when there are too many acts to compare: the row is then written without a key.
    """
    steps = [step for step, key in enumerate(tried.later_keys(), 1) if key in later]
    if not steps:
        return outcome if outcome.fate is WriteStatus.REPEATED else tried.later(1)
    if steps[-1] == MOST_ACTS:
        return None
    latest = later[tried.later(steps[-1]).key]
    if latest.fingerprint == row.fingerprint:
        return WriteResult(WriteStatus.REPEATED, latest.receipt)
    return tried.later(steps[-1] + 1)


def with_key(row: SubmissionRecord, key: str | None) -> SubmissionRecord:
    """Return the row under another idempotency key."""
    return msgspec.structs.replace(row, idempotency_key=key)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
