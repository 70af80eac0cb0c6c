"""Search of submissions by receipt, name, email, phone and, in review, any answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import F

from leadgen.leads.persons.search import ContactSearch

# The first 8 characters of a receipt are its time to about a minute, so they find a few.
_RECEIPT = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}", re.I)
_DIGITS = 32


def matching_keys(rows: Any, text: str, limit: int) -> set[UUID]:
    """Return the keys of the first rows that match, in the order of the list."""
    found: set[UUID] = set()
    for each in _sources(rows, text):
        found.update(each.values_list("pk", flat=True)[:limit])
    by_contact = ContactSearch(text, "link__lead__contact", F("received_at"), joins=4)
    found.update(by_contact.keys(rows.filter(state="processed"), limit))
    return found


def _sources(rows: Any, text: str) -> Iterator[Any]:
    """Yield the rows that an index finds, each by a condition of its own."""
    yield rows.by_reference(text)
    if bounds := _receipts_like(text):
        yield rows.filter(pk__range=bounds)
    # Submissions on no lead are few; those on a lead are found by the contact of the lead.
    yield rows.quarantined().matching(text)
    yield rows.waiting().matching(text)
    yield rows.parked().matching(text)


def _receipts_like(text: str) -> tuple[UUID, UUID] | None:
    """Return the first and the last receipt that begin with the text; None for any other text."""
    if not _RECEIPT.fullmatch(text.strip()):
        return None
    digits = text.strip().replace("-", "")[:_DIGITS]
    return UUID(digits.ljust(_DIGITS, "0")), UUID(digits.ljust(_DIGITS, "f"))
