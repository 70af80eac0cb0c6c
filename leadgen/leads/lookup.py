"""Bulk look-up of companies and campaigns by a text, case-insensitive."""

from collections.abc import Collection
from typing import TypeVar

from django.db import models
from django.utils import timezone

from leadgen.leads.models import Campaign, Company
from leadgen.lib import bulk

_Row = TypeVar("_Row", bound=models.Model)


def companies(names: Collection[str]) -> dict[str, Company]:
    """Return the company of each name; create the missing ones. Names are case-insensitive."""
    rows_by_name = _by_text(Company, "name", names)
    if missing := {name.lower(): name for name in names if name not in rows_by_name}:
        # Sorted: locks are taken in one order everywhere, which prevents deadlocks.
        defaults = {"website": "", "created_at": timezone.now()}
        rows = [{"name": missing[key], **defaults} for key in sorted(missing)]
        bulk.insert(Company, rows, new_only=True)
        rows_by_name = _by_text(Company, "name", names)
    return rows_by_name


def campaigns(utm_values: Collection[str]) -> dict[str, Campaign]:
    """Return the campaign of each utm_campaign value that has one."""
    return _by_text(Campaign, "utm_campaign", utm_values)


def _by_text(model: type[_Row], column: str, texts: Collection[str]) -> dict[str, _Row]:
    if not texts:
        return {}
    # PostgreSQL lower-cases both sides: its rules differ from Python's. LIMIT despite the unique
    # index: for a plain join the planner reads the whole table from about ten thousand rows on.
    sql = (
        "SELECT row.*, wanted FROM unnest(%s::text[]) AS wanted CROSS JOIN LATERAL "  # noqa: S608
        f"(SELECT * FROM {model._meta.db_table} WHERE lower({column}) = lower(wanted) LIMIT 1) row"
    )
    rows = model._default_manager.raw(sql, [sorted(texts)])
    return {getattr(row, "wanted"): row for row in rows}  # noqa: B009 - added by the query
