"""Spam screening: an ordered list of named checks, each with its reason for review.

To add one: a reason in reasons.py, a function here, its name in CHECKS, a test.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from disposable_email_domains import blocklist

from leadgen.capture.reasons import ReviewReason
from leadgen.forms.format.definition import Definition, FieldDefinition

_LINK = re.compile(r"https?://|(?<!//)\bwww\.", re.IGNORECASE)
# A hidden value comes from the page's address, an option from the form.
_UNWRITTEN = {"hidden", "choice"}
_MIN_SECONDS, _MAX_LINKS = 2.0, 3


class Attempt(msgspec.Struct, frozen=True):
    """Input of the checks; ``seconds`` since the page was served, None when unknown."""

    definition: Definition
    answers: Mapping[str, Any]
    honeypot: str = ""
    seconds: float | None = None
    posts_this_minute: int = 1
    flood_limit: int = 20


def honeypot(attempt: Attempt) -> ReviewReason | None:
    """Return the reason when the field that people cannot see was filled in."""
    return ReviewReason.HONEYPOT if attempt.honeypot else None


def too_fast(attempt: Attempt) -> ReviewReason | None:
    """Return the reason when the page was filled in within two seconds, less than reading takes."""
    is_fast = attempt.seconds is not None and attempt.seconds < _MIN_SECONDS
    return ReviewReason.TOO_FAST if is_fast else None


def too_many_links(attempt: Attempt) -> ReviewReason | None:
    """Return the reason for more than three links in all texts that the visitor wrote."""
    links = sum(len(_LINK.findall(text)) for text in _written(attempt))
    return ReviewReason.TOO_MANY_LINKS if links > _MAX_LINKS else None


def flood(attempt: Attempt) -> ReviewReason | None:
    """Return the reason for more posts from one address in a minute than an office sends."""
    return ReviewReason.FLOOD if attempt.posts_this_minute > attempt.flood_limit else None


def disposable_address(attempt: Attempt) -> ReviewReason | None:
    """Return the reason when an email domain, or a parent domain, is a disposable-email service."""
    names = [field.name for field in attempt.definition.fields if field.kind == "email"]
    addresses = [str(attempt.answers.get(name, "")) for name in names]
    is_disposable = any(_is_disposable(address) for address in addresses)
    return ReviewReason.DISPOSABLE_ADDRESS if is_disposable else None


CHECKS: tuple[Callable[[Attempt], ReviewReason | None], ...] = (
    honeypot,
    too_fast,
    too_many_links,
    flood,
    disposable_address,
)


def screen(attempt: Attempt) -> list[ReviewReason]:
    """Return every reason for review; an empty list means that the submission is accepted."""
    return [reason for check in CHECKS if (reason := check(attempt))]


def _written(attempt: Attempt) -> list[str]:
    """Return the texts that may contain links and that the visitor wrote."""
    linked = {name: text for name, text in attempt.answers.items() if _may_link(text)}
    if not linked:
        return []
    fields = {field.name: field for field in attempt.definition.fields}
    return [text for name, text in linked.items() if _is_written(fields.get(name), text)]


def _is_written(field: FieldDefinition | None, text: str) -> bool:
    return field is None or (field.kind not in _UNWRITTEN and text != field.default)


def _may_link(value: Any) -> bool:
    """Return whether a text can contain a link; the pattern takes twenty times as long."""
    return isinstance(value, str) and ("://" in value or "www." in value.lower())


def _is_disposable(address: str) -> bool:
    labels = address.rpartition("@")[2].strip().lower().split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))
