"""Whose turn it is."""

from collections.abc import Sequence
from typing import TypeVar

Person = TypeVar("Person")


def owner(turn: int, people: Sequence[Person]) -> Person | None:
    """Return whom a turn falls to (round robin), or None where nobody takes leads."""
    return people[turn % len(people)] if people else None
