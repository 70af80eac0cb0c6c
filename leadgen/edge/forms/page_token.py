"""Signed page tokens: nonce, time of serving, form version of a served page."""

import secrets
from dataclasses import dataclass

from django.core.signing import BadSignature, Signer

from leadgen.forms.shown_version import ShownVersion

# A robot must not use one page for ever. A person's tab may stay open for longer, so the answers of
# an expired page go to review.
MAX_AGE_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Token:
    """A served page: nonce, time in Unix seconds, form version.

    ``at`` is 0 when the time is unknown; ``shown`` is None in tokens of releases that did not write
    the version.
    """

    key: str
    at: float
    shown: ShownVersion | None = None

    def seconds_since(self, now: float) -> float | None:
        """Return the age in seconds; None for an expired token or one from the future."""
        age = now - self.at
        return age if 0 <= age <= MAX_AGE_SECONDS else None

    def is_expired(self, now: float) -> bool:
        """Return whether the page was served longer ago than MAX_AGE_SECONDS."""
        return self.at > 0 and now - self.at > MAX_AGE_SECONDS


def issue(now: float, shown: ShownVersion | None = None) -> str:
    """Return a new token for a page served at ``now`` (Unix seconds)."""
    parts: list[object] = [secrets.token_urlsafe(12)]
    if shown:
        locale = shown.locale.replace(".", "")
        parts += [shown.form_id, shown.version_id, shown.number, locale]
    # The time comes last: earlier releases split there and take the rest as the nonce.
    return _signer().sign(".".join(map(str, [*parts, int(now * 1000)])))


def read(text: str) -> Token | None:
    """Return the content of a token; None when it is missing or not signed by this server.

    A post without a token is accepted: the page may be a copy, or come from a server with another
    key. Only the checks of speed and of double clicks are skipped.
    """
    try:
        key, *version, milliseconds = _signer().unsign(text).split(".")
    except BadSignature:
        return None
    return Token(key, int(milliseconds) / 1000, _shown(version))


def _shown(version: list[str]) -> ShownVersion | None:
    if len(version) != 4:
        return None
    form_id, version_id, number, locale = version
    return ShownVersion(int(form_id), int(version_id), int(number), locale)


def _signer() -> Signer:
    return Signer(salt="leadgen.capture.page")
