"""The tables of a deployment as PostgreSQL knows them: read at one moment, compared by content."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import dj_database_url
import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from leadgen.lib.backends import CACHE_TABLE
from leadgen.lib.postgresql.connections import connection_parameters

Connection = psycopg.Connection[TupleRow]

# Not carried: migrations write their history wherever they run, and the cache holds limits that
# are in force in one deployment, pickled.
_HISTORY = "django_migrations"
_LEFT_OUT = [_HISTORY, CACHE_TABLE]
# Texts of values are compared between servers, so both must write them in one way.
_SETTINGS = {
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
_TABLES = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attname)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
  AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname <> ALL (%s)
GROUP BY c.relname ORDER BY c.relname
"""
# Fifteen hexadecimal digits of a row's MD5 make a positive bigint; a sum of those has no limit.
_CONTENT = """
SELECT count(*),
  coalesce(sum(('x' || left(md5(ROW({columns})::text), 15))::bit(60)::bigint), 0)::text
FROM {table}
"""
_SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema() ORDER BY 1"


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the columns that can be written, by name in alphabetical order."""

    name: str
    columns: tuple[str, ...]

    @property
    def listed(self) -> sql.Composed:
        """The columns as SQL lists them."""
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))

    def query(self, text: LiteralString, **more: sql.Composable) -> sql.Composed:
        """Return the statement with {table}, {columns} and what is given besides filled in."""
        table = sql.Identifier(self.name)
        return sql.SQL(text).format(table=table, columns=self.listed, **more)


@dataclass(frozen=True, slots=True)
class Content:
    """What a table holds: the number of rows, and a sum over them that no order changes."""

    rows: int
    checksum: str


def parameters(url: str) -> dict[str, Any]:
    """Return what psycopg needs to reach the database of a DATABASE_URL."""
    return connection_parameters(dict(dj_database_url.parse(url)))


@contextmanager
def connected(given: dict[str, Any]) -> Iterator[Connection]:
    """Yield a connection of our own that commits by transaction blocks only."""
    with psycopg.connect(
        **{"connect_timeout": 10, **given, "autocommit": True, "prepare_threshold": None}
    ) as connection:
        yield connection


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Inside, everything is read as of one moment, and nothing can be written."""
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    try:
        settle(connection)
        yield
    finally:
        connection.execute("ROLLBACK")


def settle(connection: Connection) -> None:
    """Have this transaction write values as every other server does, however long it takes."""
    for name, value in _SETTINGS.items():
        connection.execute("SELECT set_config(%s, %s, true)", [name, value])


def tables(connection: Connection) -> list[Table]:
    """Return every table that is carried, by name: all but the history of migrations and cache."""
    found = connection.execute(_TABLES, [_LEFT_OUT]).fetchall()
    return [Table(name, tuple(columns)) for name, columns in found]


def content(connection: Connection, table: Table) -> Content:
    """Measure a table; equal rows in two servers give equal contents."""
    rows, checksum = one(connection, table.query(_CONTENT))
    return Content(rows, checksum)


def occupied(connection: Connection, but: set[str]) -> list[str]:
    """Name the tables that hold any row."""
    return [
        table.name
        for table in tables(connection)
        if table.name not in but
        and one(connection, table.query("SELECT EXISTS (SELECT FROM {table})"))[0]
    ]


def history(connection: Connection) -> list[tuple[str, str]]:
    """Return (app, name) of the migrations applied, none where there are no tables yet."""
    if one(connection, "SELECT to_regclass(%s)", _HISTORY)[0] is None:
        return []
    found = connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
    return [(app, name) for app, name in found.fetchall()]


def sequences(connection: Connection) -> dict[str, tuple[int, bool]]:
    """Return each sequence's last value and whether it was given out.

    Sequences know no snapshot: read them after the rows, so that none is behind its table.
    """
    names = [name for (name,) in connection.execute(_SEQUENCES).fetchall()]
    query = sql.SQL("SELECT last_value, is_called FROM {}")
    return {name: one(connection, query.format(sql.Identifier(name))) for name in names}


def set_sequences(connection: Connection, values: dict[str, tuple[int, bool]]) -> None:
    """Have each sequence go on from there."""
    for name, (value, called) in values.items():
        connection.execute(
            "SELECT setval(format('%%I', %s::text)::regclass, %s, %s)", [name, value, called]
        )


def one(connection: Connection, query: str | sql.Composed, *values: Any) -> TupleRow:
    """Return the one row of a query that always has one."""
    row = connection.execute(query, values or None).fetchone()
    assert row is not None  # noqa: S101
    return row
