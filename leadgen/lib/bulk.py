"""Bulk insert and update: one statement and one JSON parameter for any number of rows.

Django's bulk_create and bulk_update prepare and quote each value in Python; here PostgreSQL reads
them all from one JSON text, at a fraction of the cost (ADR 0015).
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from django.db import connection, models

Row = Mapping[str, Any]
"""The values of a row by column name, such as contact_id; all rows of a call name the same."""

_Model = TypeVar("_Model", bound=models.Model)


def create(objects: Sequence[_Model]) -> None:
    """Insert objects of one model, with the values of their fields, and set their primary keys."""
    if not objects:
        return
    model = type(objects[0])
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    keys = insert(model, [_row(item, fields, add=True) for item in objects])
    for item, key in zip(objects, keys, strict=True):
        item.pk, item._state.adding = key, False


def update(objects: Sequence[_Model], names: Sequence[str]) -> None:
    """Update these fields of objects of one model."""
    if not objects:
        return
    meta = objects[0]._meta
    table, key = meta.db_table, meta.pk.column
    fields = [meta.pk, *(meta.get_field(name) for name in names)]
    rows = [_row(item, fields, add=False) for item in objects]
    changes = ", ".join(f"{name} = new.{name}" for name in rows[0] if name != key)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {changes} "  # noqa: S608 - names of models
            f"FROM json_to_recordset(%s::json) AS new({_typed(type(objects[0]), rows[0])}) "
            f"WHERE {table}.{key} = new.{key}",
            [_json(rows)],
        )


def insert(model: type[models.Model], rows: Sequence[Row], *, new_only: bool = False) -> list[Any]:
    """Insert the rows and return the keys that the database assigned, in the same order.

    A column that is missing in the rows gets the database's default. With ``new_only`` a row that
    conflicts with an existing one is skipped, and missing in the result.
    """
    if not rows:
        return []
    names = ", ".join(rows[0])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({names}) "  # noqa: S608 - names of models
            f"SELECT {names} FROM ROWS FROM (json_to_recordset(%s::json) AS "
            f"({_typed(model, rows[0])})) WITH ORDINALITY AS new({names}, place) ORDER BY place "
            f"{'ON CONFLICT DO NOTHING ' if new_only else ''}RETURNING {model._meta.pk.column}",
            [_json(rows)],
        )
        # Sequence values follow ORDER BY; the order of RETURNING is not guaranteed.
        return sorted(key for (key,) in cursor.fetchall())


def _row(item: models.Model, fields: Sequence[Any], *, add: bool) -> Row:
    return {field.column: field.pre_save(item, add) for field in fields}


def _typed(model: type[models.Model], row: Row) -> str:
    types = {field.column: field.db_type(connection) for field in model._meta.concrete_fields}
    return ", ".join(f"{name} {types[name]}" for name in row)


def _json(rows: Sequence[Row]) -> str:
    return msgspec.json.encode(rows).decode()
