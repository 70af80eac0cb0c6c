"""Edits of one row: lock it, set and validate the fields, and name those that change."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model


def apply_values(row: Model, values: Mapping[str, Any]) -> list[str]:
    """Set fields of a saved row, unsaved; return the names of those that differ from the table.

    The row is locked until the transaction ends. Raise ValidationError, by field, for a value that
    the field refuses.
    """
    stored = type(row)._base_manager.select_for_update(no_key=True).get(pk=row.pk)
    for name, value in values.items():
        setattr(row, name, value)
    changes = [name for name, value in values.items() if getattr(stored, name) != value]
    if changes:
        row.full_clean(exclude={field.name for field in row._meta.fields} - set(changes))
    return changes
