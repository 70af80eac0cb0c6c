"""Read-only mode of a database role, so that capture writes to its spool during a move."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql

from leadgen.operations.transfer.errors import InUseError
from leadgen.operations.transfer.tables import Connection

_TIMEOUT_SECONDS = 30.0
# A web process that cannot write retries every second.
_WATCH_SECONDS = 3.0
# Settings and sessions belong to the role that logged in, and only that role may see them, whatever
# role its sessions assume (`ALTER ROLE … SET role`).
_RESET_ROLE = "SET ROLE NONE"
_OTHERS = """
FROM pg_stat_activity WHERE datname = current_database() AND usename = session_user
AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_OTHER_WRITERS = """
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
    """Raise InUseError when another role or a pooler's connections could continue to write."""
    if _count(connection, b"SELECT pg_backend_pid()") != connection.info.backend_pid:
        raise InUseError(
            "DATABASE_URL goes through a pooler, whose connections would continue to write: stop"
            " the pooler, and set DATABASE_URL to the server itself."
        )
    if writers := _count(connection, _OTHER_WRITERS.encode()):
        raise InUseError(
            f"{writers} connections of other roles with write access are open: find their roles"
            " in pg_stat_activity and end them."
        )


@contextmanager
def frozen(connection: Connection) -> Iterator[None]:
    """Freeze the database, and thaw it again only when the block fails; raise InUseError."""
    refuse_unless_alone(connection)
    try:
        freeze(connection)
        yield
    except BaseException:
        thaw(connection)
        raise


def freeze(connection: Connection) -> None:
    """Make all sessions of this role read-only; raise InUseError if one does not end in 30 s.

    Needs no further rights: a role may change its own defaults and end its own sessions.
    """
    _alter(connection, "SET default_transaction_read_only = on")
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    older = f"SELECT count(pg_terminate_backend(pid)) {_OTHERS} AND backend_start <= %s"
    while _count(connection, older.encode(), *(row or ())):
        if time.monotonic() > deadline:
            raise InUseError(
                "a session of the old deployment does not end (timeout 30 s): find its query in"
                " pg_stat_activity"
            )
        time.sleep(0.05)


def thaw(connection: Connection) -> None:
    """Make the database writable; read-only sessions are ended and reconnect by themselves."""
    _alter(connection, "RESET default_transaction_read_only")
    _count(connection, f"SELECT count(pg_terminate_backend(pid)) {_OTHERS}".encode())


def is_frozen(connection: Connection) -> bool:
    """Tell whether the database was frozen and not thawed since."""
    return bool(_count(connection, _FROZEN.encode()))


def sessions(connection: Connection, seconds: float = _WATCH_SECONDS) -> int:
    """Return the number of other sessions of this role, watching for new ones for ``seconds``."""
    connection.execute(_RESET_ROLE)
    deadline = time.monotonic() + seconds
    while not (count := _count(connection, f"SELECT count(*) {_OTHERS}".encode())):
        if time.monotonic() >= deadline:
            break
        time.sleep(0.1)
    return count


def _alter(connection: Connection, change: str) -> None:
    connection.execute("SET default_transaction_read_only = off")
    database = sql.Identifier(connection.info.dbname)
    start = sql.SQL("ALTER ROLE SESSION_USER IN DATABASE {} ").format(database)
    connection.execute(_RESET_ROLE)
    connection.execute(start.as_bytes(connection) + change.encode())


def _count(connection: Connection, query: bytes, *values: object) -> int:
    row = connection.execute(query, values or None).fetchone()
    return int(row[0]) if row else 0
