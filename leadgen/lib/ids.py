"""Generators of public identifiers."""

import os
import secrets
import time
from uuid import UUID

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def uuid7() -> UUID:
    """Return a UUID version 7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, then random bits.

    Ids increase with time, so an index of them grows at its end.
    """
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def public_id() -> str:
    """Return 12 characters that cannot be guessed or misread, safe in a URL."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))
