"""Search of rows by the contact of their lead, in statements that each read few rows.

PostgreSQL cannot tell whether 100 or 100,000 contacts match a text, and one plan for all reads
125,272 buffers for 2,200 matches of a million (ADR 0031). So the contacts are read first. If they
are few, their rows are read by them; else the rows are walked, newest first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import F, Q

from leadgen.leads.models import Contact

# 2,200 matches read 1,609 buffers: 1,110 of the index, the rest of the table.
MAX_CONTACTS = 2_500
# A row and its contact cost about 4 buffers each, a submission 12: below 2,000 in a statement.
_BATCH = 400
_STEADY_BATCHES = 8


class ContactSearch:
    """Rows whose contact matches a text.

    ``path`` leads from a row to its contact. ``order`` is the expression by which the list is
    sorted, latest first, then by descending key. ``joins`` counts the tables on the path.
    """

    def __init__(self, text: str, path: str, order: Any, *, joins: int = 1) -> None:
        self.path, self._order, self._batch = path, order, _BATCH // joins
        self._matches = Contact.objects.matching(text).order_by()

    def keys(self, rows: Any, limit: int) -> list[Any]:
        """Return the keys of the first rows that match, latest first."""
        rows = rows.annotate(search_order=self._order).order_by("-search_order", "-pk")
        few = self._few_contacts()
        if few is None:
            return self._walk(rows, limit)
        found: list[tuple[Any, Any]] = []
        for contacts in _batches(few, self._batch):
            of_these = rows.filter(**{f"{self.path}__in": contacts})
            found += of_these.values_list("search_order", "pk")[:limit]
        return [pk for _, pk in sorted(found, reverse=True)[:limit]]

    def _few_contacts(self) -> list[int] | None:
        """Return the contacts that match, or None for more than MAX_CONTACTS."""
        # Where PostgreSQL expects many, it would compare contact after contact up to the limit.
        if _estimate(self._matches) > MAX_CONTACTS:
            return None
        contacts = list(self._matches.values_list("pk", flat=True)[: MAX_CONTACTS + 1])
        return contacts if len(contacts) <= MAX_CONTACTS else None

    def _walk(self, rows: Any, limit: int) -> list[Any]:
        keys: list[Any] = []
        for chunk in self._chunks(rows.filter(**{f"{self.path}__isnull": False})):
            contacts = self._matches.filter(pk__in={contact for _, _, contact in chunk})
            matched = set(contacts.values_list("pk", flat=True))
            keys += [pk for _, pk, contact in chunk if contact in matched]
            if len(keys) >= limit:
                break
        return keys[:limit]

    def _chunks(self, rows: Any) -> Iterator[list[tuple[Any, Any, int]]]:
        """Yield order, key and contact of the rows in chunks; after some steady ones they double.

        A text that few of the reader's contacts match needs many rows, and each chunk a round trip.
        """
        part, size, number = rows, self._batch, 0
        while chunk := list(part.values_list("search_order", "pk", F(self.path))[:size]):
            yield chunk
            if len(chunk) < size:
                return
            order, pk, _ = chunk[-1]
            # The first condition is a range of the index, the second one leaves out equal times.
            after = Q(search_order__lt=order) | Q(search_order=order, pk__lt=pk)
            part = rows.filter(Q(search_order__lte=order) & after)
            number += 1
            size *= 2 if number > _STEADY_BATCHES else 1


def _estimate(rows: Any) -> int:
    """Return the number of rows that PostgreSQL expects, from its statistics; it reads no row."""
    # Of no row at all, such as for a text of punctuation only, there is no plan.
    text = rows.values("pk").explain(format="json")
    return int(json.loads(text)[0]["Plan"]["Plan Rows"]) if text else 0


def _batches(keys: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    keys = sorted(keys)
    return (keys[start : start + size] for start in range(0, len(keys), size))
