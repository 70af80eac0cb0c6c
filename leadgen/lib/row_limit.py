"""Limit of the rows that one request may touch, and counts that stop there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

# A delete page, a bulk act or a cascade of so many rows answers within 1 s and 50 MB at 200,000
# leads (make bench ARGS="--only bounded"); whatever is larger is refused.
MAX_ROWS = 1_000


def capped_count(rows: QuerySet[Any]) -> int:
    """Count rows, at most one more than ``MAX_ROWS``."""
    return rows.order_by()[: MAX_ROWS + 1].count()


def in_words(count: int, model: type[Model]) -> str:
    """Name a capped count of a model's rows, such as ``12 leads`` or ``more than 1,000 leads``."""
    if count > MAX_ROWS:
        details = {"limit": f"{MAX_ROWS:,}", "rows": model._meta.verbose_name_plural}
        return gettext("more than %(limit)s %(rows)s") % details
    meta = model._meta
    name = meta.verbose_name if count == 1 else meta.verbose_name_plural
    return f"{count:,} {name}"


def sentence(text: str) -> str:
    """Begin a sentence with a capital; the rest stays (unlike str.capitalize)."""
    return text[:1].upper() + text[1:]
