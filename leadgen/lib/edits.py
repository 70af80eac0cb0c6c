"""Edits of one row: lock it, set and validate the fields, and name those that change."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model


def apply_values(row: Model, values: Mapping[str, Any]) -> dict[str, Any]:
    """Set fields of a saved row, unsaved; return the earlier values of those that change.

    The row is locked until the transaction ends and read again first: an instance that was loaded
    before another change never writes its old values back. Raise ValidationError, by field, for a
    value that the field refuses.
    """
    row.refresh_from_db(from_queryset=type(row)._base_manager.select_for_update(no_key=True))
    changes: dict[str, Any] = {}
    for name, value in values.items():
        if (before := getattr(row, name)) != value:
            changes[name] = before
            setattr(row, name, value)
    if changes:
        row.full_clean(exclude={field.name for field in row._meta.fields} - set(changes))
    return changes
