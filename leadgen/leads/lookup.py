"""Rows by a text whose case does not matter, many at once."""

from collections.abc import Collection
from typing import TypeVar

from django.db import models
from django.utils import timezone

from leadgen.leads.models import Campaign, Company
from leadgen.lib import bulk

_Row = TypeVar("_Row", bound=models.Model)


def companies(names: Collection[str]) -> dict[str, Company]:
    """Return the company of each name, made where there is none; names compare without case."""
    found = _by_text(Company, "name", names)
    if missing := {name.lower(): name for name in names if name not in found}:
        # In one order everywhere, so that two batches never wait for each other in a circle.
        made = {"website": "", "created_at": timezone.now()}
        rows = [{"name": missing[key], **made} for key in sorted(missing)]
        bulk.insert(Company, rows, new_only=True)
        found = _by_text(Company, "name", names)
    return found


def campaigns(utm_values: Collection[str]) -> dict[str, Campaign]:
    """Return the campaign of each utm_campaign value that has one."""
    return _by_text(Campaign, "utm_campaign", utm_values)


def _by_text(model: type[_Row], column: str, texts: Collection[str]) -> dict[str, _Row]:
    if not texts:
        return {}
    # PostgreSQL lower-cases both sides: its rules for letters are not Python's. LIMIT, though the
    # column is unique: a plain join would read a whole table of some ten thousand rows instead.
    sql = (
        "SELECT row.*, given FROM unnest(%s::text[]) AS given CROSS JOIN LATERAL "  # noqa: S608
        f"(SELECT * FROM {model._meta.db_table} WHERE lower({column}) = lower(given) LIMIT 1) row"
    )
    rows = model._default_manager.raw(sql, [sorted(texts)])
    return {getattr(row, "given"): row for row in rows}  # noqa: B009 - added by the query
