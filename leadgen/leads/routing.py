"""Round robin: the owner of a new lead."""

from collections.abc import Sequence
from typing import TypeVar

Person = TypeVar("Person")


def owner(turn: int, people: Sequence[Person]) -> Person | None:
    """Return the person at this turn, or None when no person takes leads."""
    return people[turn % len(people)] if people else None
