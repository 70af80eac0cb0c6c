"""Tables of a deployment in PostgreSQL: list, snapshot, content checksum, sequences."""

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

# Not copied: migrate writes its own history in each database, and the cache holds pickled limits of
# one deployment.
_HISTORY = "django_migrations"
_EXCLUDED = [_HISTORY, CACHE_TABLE]
# Values are compared between servers as text, so both must format them in the same way.
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
    """A table and its writable columns, in alphabetical order."""

    name: str
    columns: tuple[str, ...]

    @property
    def listed(self) -> sql.Composed:
        """The columns as SQL lists them."""
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))

    def query(self, text: LiteralString, **more: sql.Composable) -> sql.Composed:
        """Return the statement with {table}, {columns} and the further parameters filled in."""
        table = sql.Identifier(self.name)
        return sql.SQL(text).format(table=table, columns=self.listed, **more)


@dataclass(frozen=True, slots=True)
class Content:
    """Number of rows of a table, and a checksum that is independent of their order."""

    rows: int
    checksum: str


def parameters(url: str) -> dict[str, Any]:
    """Return psycopg's connection parameters for a DATABASE_URL."""
    return connection_parameters(dict(dj_database_url.parse(url)))


@contextmanager
def connect(settings: dict[str, Any]) -> Iterator[Connection]:
    """Yield a new connection in autocommit mode; transactions are explicit blocks."""
    with psycopg.connect(
        **{"connect_timeout": 10, **settings, "autocommit": True, "prepare_threshold": None}
    ) as connection:
        yield connection


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Read from one snapshot inside the block (repeatable read, read only)."""
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    try:
        set_text_formats(connection)
        yield
    finally:
        connection.execute("ROLLBACK")


def set_text_formats(connection: Connection) -> None:
    """Set one text format for values in this transaction, and no time limits."""
    for name, value in _SETTINGS.items():
        connection.execute("SELECT set_config(%s, %s, true)", [name, value])


def tables(connection: Connection) -> list[Table]:
    """Return every table that is copied, by name: all but the migration history and the cache."""
    rows = connection.execute(_TABLES, [_EXCLUDED]).fetchall()
    return [Table(name, tuple(columns)) for name, columns in rows]


def content(connection: Connection, table: Table) -> Content:
    """Return the content of a table; equal rows on two servers give equal contents."""
    rows, checksum = fetch_one(connection, table.query(_CONTENT))
    return Content(rows, checksum)


def non_empty_tables(connection: Connection, but: set[str]) -> list[str]:
    """Return the names of the tables that have rows, without those in ``but``."""
    return [
        table.name
        for table in tables(connection)
        if table.name not in but
        and fetch_one(connection, table.query("SELECT EXISTS (SELECT FROM {table})"))[0]
    ]


def applied_migrations(connection: Connection) -> list[tuple[str, str]]:
    """Return (app, name) of the applied migrations; none for a database without tables."""
    if fetch_one(connection, "SELECT to_regclass(%s)", _HISTORY)[0] is None:
        return []
    rows = connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
    return [(app, name) for app, name in rows.fetchall()]


def sequences(connection: Connection) -> dict[str, tuple[int, bool]]:
    """Return each sequence's last value and whether that value has been used.

    Sequences are outside snapshots: read them after the rows, so that none is behind its table.
    """
    names = [name for (name,) in connection.execute(_SEQUENCES).fetchall()]
    query = sql.SQL("SELECT last_value, is_called FROM {}")
    return {name: fetch_one(connection, query.format(sql.Identifier(name))) for name in names}


def set_sequences(connection: Connection, values: dict[str, tuple[int, bool]]) -> None:
    """Set each sequence to its value."""
    for name, (value, called) in values.items():
        connection.execute(
            "SELECT setval(format('%%I', %s::text)::regclass, %s, %s)", [name, value, called]
        )


def fetch_one(connection: Connection, query: str | sql.Composed, *values: Any) -> TupleRow:
    """Return the row of a query that always returns exactly one."""
    row = connection.execute(query, values or None).fetchone()
    assert row is not None  # noqa: S101
    return row
