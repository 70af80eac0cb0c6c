"""Advisory lock of PostgreSQL that lets one `migrate` at a time change a database."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import TupleRow

from leadgen.lib.postgresql.connections import connection_parameters

# Below the 1,800 s that the Kubernetes Job may take (deploy/kubernetes/base/migrate/job.yaml).
TIMEOUT_SECONDS = 900
_POLL_SECONDS = 0.5
_REPORT_SECONDS = 10.0

_KEY = "hashtextextended('leadgen migrate', 0)"
# A transaction's lock, not a session's: PgBouncer in transaction mode gives each transaction one
# server connection, and would leave a session's lock behind on a connection of the pool.
# Not pg_advisory_xact_lock: a statement that waits keeps a snapshot, and CREATE INDEX CONCURRENTLY
# of the first migration would wait for that snapshot: a deadlock.
_TRY = f"SELECT pg_try_advisory_xact_lock({_KEY})"
_SETTINGS = "SET LOCAL idle_in_transaction_session_timeout = 0"

Report = Callable[[str], None]


class MigrationLockError(Exception):
    """The lock was not acquired: the database is unavailable, or another migration holds it."""


@contextmanager
def migration_lock(report: Report, timeout: float = TIMEOUT_SECONDS) -> Iterator[None]:
    """Hold the lock inside the block, on a connection of its own.

    Report every ten seconds while another process holds the lock; raise MigrationLockError after
    ``timeout`` seconds, or when the database cannot be reached. The lock ends with its connection,
    however the process ends.
    """
    with _connect() as connection:
        _acquire(connection, report, timeout)
        yield


def _connect() -> psycopg.Connection[TupleRow]:
    try:
        return psycopg.connect(**{"connect_timeout": 10, **connection_parameters()})
    except psycopg.OperationalError as error:
        raise MigrationLockError(
            f"Database unavailable, no connection: {error}\nCheck DATABASE_URL and its password. To"
            " replace a lost password see deploy/docs/runbooks/rotate-secrets.md."
        ) from error


def _acquire(connection: psycopg.Connection[TupleRow], report: Report, timeout: float) -> None:
    started = reported = time.monotonic()
    while not _try(connection):
        now = time.monotonic()
        if now - started >= timeout:
            raise MigrationLockError(
                f"Another migrate has held the lock of this database for {timeout:g} s"
                " (timeout). Check its log and pg_locks (locktype advisory), and run migrate again"
                " after its end."
            )
        if now - reported >= _REPORT_SECONDS or reported == started:
            report(f"waiting for another migrate on this database, {now - started:.0f} s so far")
            reported = now
        time.sleep(min(_POLL_SECONDS, timeout))


def _try(connection: psycopg.Connection[TupleRow]) -> bool:
    """Try to take the lock; on success leave the transaction that holds it open."""
    connection.execute(_SETTINGS)
    row = connection.execute(_TRY).fetchone()
    if row and row[0]:
        return True
    connection.rollback()
    return False
