"""Delta of a table: copy the rows that changed since a snapshot, delete those that are gone."""

from typing import LiteralString

from psycopg import sql

from leadgen.operations.transfer import copy
from leadgen.operations.transfer.tables import Connection, Table

_KEY = """
SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
WHERE indisprimary AND indrelid = format('%%I', %s::text)::regclass ORDER BY attname
"""
_CHANGED, _KEYS = "changed_rows", "source_keys"


def position(connection: Connection) -> str:
    """Return the oldest transaction whose rows can be missing in the current snapshot (xmin)."""
    row = connection.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::xid::text").fetchone()
    return str(row[0]) if row else ""


def apply(source: Connection, target: Connection, table: Table, since: str) -> int:
    """Make the target's table equal to the source's; return the number of rows written.

    Only rows written since that position are read in full. Both connections are in a transaction,
    and the target's foreign keys are deferred to its end.
    """
    key = _key(target, table)
    recent = sql.SQL("WHERE age(xmin) <= age({}::xid)").format(sql.Literal(since))
    _create_like(target, table, _CHANGED)
    changed = copy.copy_in(target, table, copy.read(source, table, recent), into=_CHANGED)
    _delete(target, key, "EXISTS", _CHANGED)
    if _count(target, table) + changed != _count(source, table):
        _create_like(target, key, _KEYS)
        copy.copy_in(target, key, copy.read(source, key), into=_KEYS)
        _delete(target, key, "NOT EXISTS", _KEYS)
    target.execute(
        table.query(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM {changed}",
            changed=sql.Identifier(_CHANGED),
        )
    )
    return changed


def _key(connection: Connection, table: Table) -> Table:
    """Return the table with the columns of its primary key only."""
    rows = connection.execute(_KEY, [table.name]).fetchall()
    return Table(table.name, tuple(name for (name,) in rows))


def _create_like(connection: Connection, table: Table, name: str) -> None:
    temporary = sql.Identifier(name)
    connection.execute(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(temporary))
    connection.execute(
        table.query(
            "CREATE TEMP TABLE {temporary} ON COMMIT DROP"
            " AS SELECT {columns} FROM {table} WITH NO DATA",
            temporary=temporary,
        )
    )


def _delete(connection: Connection, key: Table, which: LiteralString, listed: str) -> None:
    """Delete the rows whose key is, or is not, in the temporary table ``listed``, by a join."""
    same = sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(key.name, name), sql.Identifier(listed, name))
        for name in key.columns
    )
    connection.execute(
        key.query(
            "DELETE FROM {table} WHERE {which} (SELECT FROM {listed} WHERE {same})",
            which=sql.SQL(which),
            listed=sql.Identifier(listed),
            same=same,
        )
    )


def _count(connection: Connection, table: Table) -> int:
    row = connection.execute(table.query("SELECT count(*) FROM {table}")).fetchone()
    return int(row[0]) if row else 0
