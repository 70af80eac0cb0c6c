"""Stop all writing to a database from the inside, so that capture turns to its spool by itself."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql

from leadgen.operations.transfer.errors import InUseError
from leadgen.operations.transfer.tables import Connection

_PATIENCE = 30.0
# A web process that cannot write asks again every second.
_QUIET = 3.0
# Settings and sessions belong to the role that logged in, and only it may see them, whatever role
# it takes (`ALTER ROLE … SET role`).
_OURSELVES = "SET ROLE NONE"
_OTHERS = """
FROM pg_stat_activity WHERE datname = current_database() AND usename = session_user
AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_STRANGERS = """
SELECT count(*) FROM pg_stat_activity JOIN pg_roles ON pg_roles.oid = usesysid
WHERE datname = current_database() AND usename <> session_user AND NOT rolsuper
AND has_table_privilege(usesysid, to_regclass('capture_submission'), 'INSERT')
"""
_FROZEN = """
SELECT EXISTS (
  SELECT FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase
  WHERE d.datname = current_database() AND setrole = session_user::regrole
  AND 'default_transaction_read_only=on' = ANY (setconfig))
"""


def refuse_unless_alone(connection: Connection) -> None:
    """Raise BusyError where another role, or a pooler's connections, could go on writing."""
    if _count(connection, b"SELECT pg_backend_pid()") != connection.info.backend_pid:
        raise InUseError(
            "a pooler stands between, whose connections would go on writing: stop it, and give a"
            " DATABASE_URL of the server itself."
        )
    if strangers := _count(connection, _STRANGERS.encode()):
        raise InUseError(
            f"{strangers} connections of other roles that may write here are open: end them, and"
            " look for their role in pg_stat_activity."
        )


@contextmanager
def frozen(connection: Connection) -> Iterator[None]:
    """Freeze, and thaw again only if what is inside fails; raise BusyError."""
    refuse_unless_alone(connection)
    try:
        freeze(connection)
        yield
    except BaseException:
        thaw(connection)
        raise


def freeze(connection: Connection) -> None:
    """Make every session of our role here read-only; raise BusyError if one does not let go.

    Needs no rights but our own: a role may change its own defaults and end its own sessions.
    """
    _alter(connection, "SET default_transaction_read_only = on")
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    deadline = time.monotonic() + _PATIENCE
    older = f"SELECT count(pg_terminate_backend(pid)) {_OTHERS} AND backend_start <= %s"
    while _count(connection, older.encode(), *(row or ())):
        if time.monotonic() > deadline:
            raise InUseError("a session of the old deployment does not end: look for its query")
        time.sleep(0.05)


def thaw(connection: Connection) -> None:
    """Let sessions write again; those that could not are ended, and come back by themselves."""
    _alter(connection, "RESET default_transaction_read_only")
    _count(connection, f"SELECT count(pg_terminate_backend(pid)) {_OTHERS}".encode())


def is_frozen(connection: Connection) -> bool:
    """Whether freeze has been here, and thaw has not."""
    return bool(_count(connection, _FROZEN.encode()))


def sessions(connection: Connection, seconds: float = _QUIET) -> int:
    """Return how many other sessions of our role are here, or come within so many seconds."""
    connection.execute(_OURSELVES)
    deadline = time.monotonic() + seconds
    while not (most := _count(connection, f"SELECT count(*) {_OTHERS}".encode())):
        if time.monotonic() >= deadline:
            break
        time.sleep(0.1)
    return most


def _alter(connection: Connection, change: str) -> None:
    connection.execute("SET default_transaction_read_only = off")
    database = sql.Identifier(connection.info.dbname)
    start = sql.SQL("ALTER ROLE SESSION_USER IN DATABASE {} ").format(database)
    connection.execute(_OURSELVES)
    connection.execute(start.as_bytes(connection) + change.encode())


def _count(connection: Connection, query: bytes, *values: object) -> int:
    row = connection.execute(query, values or None).fetchone()
    return int(row[0]) if row else 0
