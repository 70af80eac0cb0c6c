"""Prove that a backup can be restored: into a database made for it, which is dropped again."""

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import settings
from psycopg import sql

from leadgen.capture.database import connection_parameters
from leadgen.operations.moving import elsewhere, tables

Say = Callable[[str], None]


def check(url: str, name: str, say: Say) -> None:
    """Restore this backup beside the deployment and account for its submissions.

    The database is made on the same server, the objects go to a temporary folder: both need room.
    Raise ChildError, or what PostgreSQL raises to a role that may not make databases.
    """
    with _database() as database, tempfile.TemporaryDirectory(prefix="leadgen-check-") as folder:
        backends = {"DATABASE_URL": database, "STORAGE_URL": f"file://{folder}"}
        elsewhere.manage(say, backends, "restore", url, "--name", name)


@contextmanager
def _database() -> Iterator[str]:
    """Yield the URL of a new database."""
    name = sql.Identifier(made := f"leadgen_check_{secrets.token_hex(4)}")
    with tables.connected(connection_parameters()) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield urlsplit(settings.DATABASE_URL)._replace(path=f"/{made}").geturl()
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
