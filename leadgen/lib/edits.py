"""Edits of a row and of the rows that belong to it: lock, set, validate, name what changes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext


@dataclass(frozen=True, slots=True)
class RowEdits:
    """Edits of the rows that belong to one row, such as the stages of a pipeline.

    ``added`` are unsaved rows, ``changed`` new values by primary key, ``deleted`` primary keys.
    """

    added: Sequence[Any] = ()
    changed: Mapping[int, Mapping[str, Any]] | None = None
    deleted: Sequence[int] = ()

    @property
    def keys(self) -> set[int]:
        """The primary keys of the saved rows that are changed or deleted."""
        return {*(self.changed or {}), *self.deleted}


def apply_values(row: Model, values: Mapping[str, Any]) -> dict[str, Any]:
    """Set fields of a saved row, unsaved; return the earlier values of those that change.

    The row is locked until the transaction ends and read again first: an instance that was loaded
    before another change never writes its old values back. Raise ValidationError, by field, for a
    value that the field refuses.
    """
    row.refresh_from_db(from_queryset=type(row)._base_manager.select_for_update(no_key=True))
    return set_values(row, values)


def set_values(row: Model, values: Mapping[str, Any]) -> dict[str, Any]:
    """Set fields of a locked row, unsaved; return the earlier values of those that change.

    Raise ValidationError, by field, for a value that the field refuses.
    """
    changes: dict[str, Any] = {}
    for name, value in values.items():
        if (before := getattr(row, name)) != value:
            changes[name] = before
            setattr(row, name, value)
    if changes:
        row.full_clean(exclude={field.name for field in row._meta.fields} - _checked(row, changes))
    return changes


def _checked(row: Model, changes: Iterable[str]) -> set[str]:
    """Return the changed fields, and those that share a unique constraint with one of them."""
    constraints = (set(getattr(each, "fields", ())) for each in row._meta.constraints)
    return set(changes).union(*(fields for fields in constraints if fields & set(changes)))


def lock_rows(rows: Any, keys: Iterable[int]) -> dict[int, Any]:
    """Lock rows in the order of their keys; raise ValidationError if one of them is gone."""
    wanted = set(keys)
    locked = {row.pk: row for row in rows.select_for_update().filter(pk__in=wanted).order_by("pk")}
    if gone := wanted - locked.keys():
        text = gettext("%(rows)s with the number %(keys)s no longer exist: load them again.")
        name = str(rows.model._meta.verbose_name_plural).capitalize()
        raise ValidationError(text % {"rows": name, "keys": ", ".join(map(str, sorted(gone)))})
    return locked
