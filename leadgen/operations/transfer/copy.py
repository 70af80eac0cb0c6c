"""Bulk load of tables by COPY; indexes and foreign keys are created once at the end."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import sql

from leadgen.operations.transfer.tables import Connection, Table

_FOREIGN_KEYS = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
"""
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relnamespace = current_schema()::regnamespace
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
_EVERY_ROW = sql.SQL("")


@contextmanager
def without_constraints(connection: Connection) -> Iterator[None]:
    """Drop foreign keys, which may form circles, and all indexes except those of constraints.

    The end of the block creates them again, which checks every row. Needs a transaction and no
    other session.
    """
    keys = connection.execute(_FOREIGN_KEYS).fetchall()
    indexes = connection.execute(_INDEXES).fetchall()
    for table, name, _ in keys:
        _run(connection, f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        _run(connection, f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        _run(connection, definition)
    for table, name, definition in keys:
        _run(connection, f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def empty(connection: Connection, tables: Iterable[Table]) -> None:
    """Delete every row of these tables."""
    names = sql.SQL(", ").join(sql.Identifier(table.name) for table in tables)
    connection.execute(sql.SQL("TRUNCATE {}").format(names))


def copy_in(connection: Connection, table: Table, pieces: Iterable[Any], into: str = "") -> int:
    """Write pieces of COPY's text format into the table, or into ``into``; return the row count."""
    destination = Table(into or table.name, table.columns)
    with connection.cursor() as cursor:
        with cursor.copy(destination.query("COPY {table} ({columns}) FROM STDIN")) as copy:
            for piece in pieces:
                copy.write(piece)
        return cursor.rowcount


def read(connection: Connection, table: Table, where: sql.Composable = _EVERY_ROW) -> Iterator[Any]:
    """Yield a table's rows in COPY's text format; a piece never ends within a row."""
    query = "COPY (SELECT {columns} FROM {table} {where}) TO STDOUT"
    statement = table.query(query, where=where)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        yield from copy


def _run(connection: Connection, statement: str) -> None:
    connection.execute(statement.encode())
