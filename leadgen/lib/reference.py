"""Short reference of a UUID of version 7: eight characters for people, and the look-up by them.

It holds the second of the UUID's time (30 bits) and its last 10 bits, so that a look-up reads the
rows of one second by the primary key, without another index. Receipts have one.
"""

from collections.abc import Iterable
from uuid import UUID

# Crockford's base 32: no I, L, O and U. Eight characters are 40 bits.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("OIL", "011", "- ")
_LENGTH = 8
# 2024-01-01; 30 bits of seconds last until January 2058.
_EPOCH = 1_704_067_200
_SECONDS, _LAST = 30, 10


def reference_of(receipt: UUID) -> str:
    """Return the reference of a receipt, such as 2VQ1M8KD."""
    seconds = (receipt.int >> 80) // 1000 - _EPOCH
    number = seconds % 2**_SECONDS << _LAST | receipt.int % 2**_LAST
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(35, -1, -5))


def range_of(reference: str) -> tuple[UUID, UUID] | None:
    """Return the receipts between which all of a reference lie, the second one excluded.

    None for any other text. Letter case, hyphens and spaces do not matter; O is read as 0, I and L
    as 1.
    """
    number = _number(reference)
    if number is None:
        return None
    milliseconds = ((number >> _LAST) + _EPOCH) * 1000
    return UUID(int=milliseconds << 80), UUID(int=(milliseconds + 1000) << 80)


def matching(reference: str, receipts: Iterable[UUID]) -> list[UUID]:
    """Return the receipts of this reference: usually one, at most one in 1,024 of a second."""
    number = _number(reference)
    return [each for each in receipts if number == _number(reference_of(each))]


def _number(reference: str) -> int | None:
    text = reference.upper().translate(_MISREAD)
    if len(text) != _LENGTH or not set(text) <= set(_ALPHABET):
        return None
    number = 0
    for character in text:
        number = number * 32 + _ALPHABET.index(character)
    return number
