"""The signed mark in every served page: when it was served, and which page it was."""

import secrets
from dataclasses import dataclass

from django.core.signing import BadSignature, Signer


@dataclass(frozen=True, slots=True)
class Token:
    """A page that was served: its own key, and when (Unix seconds)."""

    key: str
    at: float


def issue(now: float) -> str:
    """Return a new token for a page served at ``now``."""
    return _signer().sign(f"{secrets.token_urlsafe(12)}.{int(now * 1000)}")


def read(text: str) -> Token | None:
    """Return what a token says; None when it is missing or not ours.

    A post without one is no worse than another: the page may come from a cache, a copy or a
    restart with a new key. It only goes without the check of the time and of the double click.
    """
    try:
        key, _, milliseconds = _signer().unsign(text).rpartition(".")
    except BadSignature:
        return None
    return Token(key, int(milliseconds) / 1000)


def _signer() -> Signer:
    return Signer(salt="leadgen.capture.page")
