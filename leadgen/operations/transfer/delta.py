"""What has changed in a table since it was copied, brought after."""

from typing import LiteralString

from psycopg import sql

from leadgen.operations.transfer import copy
from leadgen.operations.transfer.tables import Connection, Table

_KEY = """
SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
WHERE indisprimary AND indrelid = format('%%I', %s::text)::regclass ORDER BY attname
"""
_CHANGED, _KEPT = "changed_rows", "kept_rows"


def position(connection: Connection) -> str:
    """Return the transaction from which on a row may be missing in the snapshot we are in."""
    row = connection.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::xid::text").fetchone()
    return str(row[0]) if row else ""


def apply(source: Connection, target: Connection, table: Table, since: str) -> int:
    """Make the target's table what the source's is now; return how many rows were written.

    Only rows written since that mark are read in full. Both ends are in a transaction, and the
    target's foreign keys wait for its end.
    """
    key = _key(target, table)
    recent = sql.SQL("WHERE age(xmin) <= age({}::xid)").format(sql.Literal(since))
    _make(target, table, _CHANGED)
    changed = copy.copy_in(target, table, copy.read(source, table, recent), into=_CHANGED)
    _delete(target, key, "EXISTS", _CHANGED)
    if _count(target, table) + changed != _count(source, table):
        _make(target, key, _KEPT)
        copy.copy_in(target, key, copy.read(source, key), into=_KEPT)
        _delete(target, key, "NOT EXISTS", _KEPT)
    target.execute(
        table.query(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM {changed}",
            changed=sql.Identifier(_CHANGED),
        )
    )
    return changed


def _key(connection: Connection, table: Table) -> Table:
    """The table as its primary key alone."""
    found = connection.execute(_KEY, [table.name]).fetchall()
    return Table(table.name, tuple(name for (name,) in found))


def _make(connection: Connection, table: Table, name: str) -> None:
    made = sql.Identifier(name)
    connection.execute(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(made))
    connection.execute(
        table.query(
            "CREATE TEMP TABLE {made} ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA",
            made=made,
        )
    )


def _delete(connection: Connection, key: Table, which: LiteralString, listed: str) -> None:
    """Delete the rows whose key is, or is not, among those listed: by a join, however many."""
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
