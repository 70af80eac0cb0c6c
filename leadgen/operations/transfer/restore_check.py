"""Prove that a backup can be restored: into a database made for it, which is dropped again."""

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import settings
from psycopg import sql

from leadgen.lib.postgresql.connections import connection_parameters
from leadgen.operations.transfer import child_process, tables
from leadgen.operations.transfer.errors import InUseError
from leadgen.operations.transfer.tables import Connection

Say = Callable[[str], None]

_ALONE = "SELECT pg_try_advisory_lock(hashtextextended('restore --check', 0))"
# By its number, for other deployments may share the server.
_PREFIX = """
SELECT 'leadgen_check_' || oid || '_' FROM pg_database WHERE datname = current_database()
"""
_LEFT = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"


def check(url: str, name: str, say: Say) -> None:
    """Restore this backup beside the deployment and account for its submissions.

    The database is made on the same server, the objects go to a temporary folder: both need room.
    Raise BusyError while another check is at it, ChildError, or what PostgreSQL raises to a role
    that may not make databases.
    """
    with _database() as database, tempfile.TemporaryDirectory(prefix="leadgen-check-") as folder:
        backends = {"DATABASE_URL": database, "STORAGE_URL": f"file://{folder}"}
        child_process.manage(say, backends, "restore", url, "--name", name)


@contextmanager
def _database() -> Iterator[str]:
    """Yield the URL of a new database; drop it on leaving, and those of checks that were killed."""
    with tables.connected(connection_parameters()) as connection:
        if not tables.one(connection, _ALONE)[0]:
            raise InUseError("another restore --check is running: wait for its end.")
        (prefix,) = tables.one(connection, _PREFIX)
        for (left,) in connection.execute(_LEFT, [prefix]).fetchall():
            _drop(connection, left)
        name = f"{prefix}{secrets.token_hex(4)}"
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()
        finally:
            _drop(connection, name)


def _drop(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
