"""Trial restore of a backup into a temporary database, which is dropped afterwards."""

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

Report = Callable[[str], None]

_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('restore --check', 0))"
# The database's number is in the name, because other deployments may share the server.
_PREFIX = """
SELECT 'leadgen_check_' || oid || '_' FROM pg_database WHERE datname = current_database()
"""
_LEFTOVERS = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"


def check(url: str, name: str, report: Report) -> None:
    """Restore this backup beside the deployment and account for its submissions.

    The database is created on the same server, the objects go to a temporary folder: both need
    space. Raise InUseError while another check runs, ChildError when the restore fails, and
    psycopg's InsufficientPrivilege when the role may not create databases.
    """
    with _database() as database, tempfile.TemporaryDirectory(prefix="leadgen-check-") as folder:
        backends = {"DATABASE_URL": database, "STORAGE_URL": f"file://{folder}"}
        child_process.manage(report, backends, "restore", url, "--name", name)


@contextmanager
def _database() -> Iterator[str]:
    """Yield the URL of a new database; drop it at the end, and those of killed checks before."""
    with tables.connect(connection_parameters()) as connection:
        if not tables.fetch_one(connection, _LOCK)[0]:
            raise InUseError("another restore --check is running: wait for its end.")
        (prefix,) = tables.fetch_one(connection, _PREFIX)
        for (leftover,) in connection.execute(_LEFTOVERS, [prefix]).fetchall():
            _drop(connection, leftover)
        name = f"{prefix}{secrets.token_hex(4)}"
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()
        finally:
            _drop(connection, name)


def _drop(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
