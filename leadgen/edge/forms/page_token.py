"""Signed page tokens: which page was served, when, and which version of which form it showed."""

import secrets
from dataclasses import dataclass

from django.core.signing import BadSignature, Signer

from leadgen.forms.shown_version import ShownVersion

# A tab may stay open for weeks. Behind this the time since serving says nothing about robots.
MAX_AGE_SECONDS = 30 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Token:
    """A page that was served: its nonce, the time (Unix seconds), and the version that it shows.

    ``shown`` is None in tokens of releases that did not name it.
    """

    key: str
    at: float
    shown: ShownVersion | None = None

    def seconds_since(self, now: float) -> float | None:
        """Return the age in seconds; None for an expired token or one that a clock disputes."""
        age = now - self.at
        return age if 0 <= age <= MAX_AGE_SECONDS else None


def issue(now: float, shown: ShownVersion | None = None) -> str:
    """Return a new token for a page served at ``now``."""
    parts: list[object] = [secrets.token_urlsafe(12)]
    if shown:
        locale = shown.locale.replace(".", "")
        parts += [shown.form_id, shown.version_id, shown.number, locale]
    # The time comes last: the release before splits there, and reads the rest as the nonce.
    return _signer().sign(".".join(map(str, [*parts, int(now * 1000)])))


def read(text: str) -> Token | None:
    """Return the content of a token; None when it is missing or not signed by this server.

    A post without a token is taken like any other: the page may come from a copy, or from a server
    with another key. It only goes without the check of the time and of the double click.
    """
    try:
        key, *named, milliseconds = _signer().unsign(text).split(".")
    except BadSignature:
        return None
    return Token(key, int(milliseconds) / 1000, _shown(named))


def _shown(named: list[str]) -> ShownVersion | None:
    if len(named) != 4:
        return None
    form_id, version_id, number, locale = named
    return ShownVersion(int(form_id), int(version_id), int(number), locale)


def _signer() -> Signer:
    return Signer(salt="leadgen.capture.page")
