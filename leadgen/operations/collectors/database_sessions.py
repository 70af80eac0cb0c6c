"""Sessions of the PostgreSQL server: used and possible connections, and the oldest transaction.

Sessions of other roles show neither their state nor their start without pg_read_all_stats; their
number and their transaction ids are public, so a transaction of theirs is found but not its age.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection

from leadgen.lib import env

# Each child of a worker: the thread of its task, and the second thread of intake.
CHILD_CONNECTIONS = 2
# `--concurrency` of processes/roles.py: two children of a worker; delivery's four threads, whose
# sessions have the worker's name, open as many.
WORKER_CONNECTIONS = 2 * CHILD_CONNECTIONS
_ROLES = {"leadgen web", "leadgen capture", "leadgen worker"}

_LIMIT = (
    "SELECT current_setting('max_connections')::int"
    " - current_setting('superuser_reserved_connections')::int"
    " - coalesce(current_setting('reserved_connections', true), '0')::int"
)
# Walsenders and background workers have no share in max_connections or no database.
_SESSIONS = (
    "SELECT coalesce(application_name, ''), coalesce(client_addr::text, ''), count(*)"
    " FROM pg_stat_activity WHERE datid IS NOT NULL GROUP BY 1, 2"
)
_OLDEST = (
    "SELECT coalesce(extract(epoch FROM clock_timestamp() - began), 0), subject FROM ("
    " SELECT xact_start AS began, format('process %s of %s (%s)', pid, usename,"
    " application_name) AS subject FROM pg_stat_activity"
    " WHERE datname = current_database() AND backend_xid IS NOT NULL"
    " UNION ALL SELECT prepared, format('prepared transaction %s of %s', gid, owner)"
    " FROM pg_prepared_xacts WHERE database = current_database()"
    ") AS running ORDER BY began NULLS LAST LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Connections:
    """Connections in use on the server, its limit, and what Leadgen's containers may open."""

    used: int
    limit: int
    webs: int
    workers: int

    @property
    def budget(self) -> int:
        """The most that the containers which are connected now may open together."""
        return self.webs * web_connections() + self.workers * WORKER_CONNECTIONS


@dataclass(frozen=True, slots=True)
class RunningTransaction:
    """The transaction of this database that has written and run for the longest time."""

    age: timedelta
    subject: str


def web_connections() -> int:
    """Return the connections that one web container may open: pages, look-ups and ledger."""
    pools = settings.DATABASE_POOL_SIZE + settings.CAPTURE_POOL_SIZE
    return env.integer("WEB_CONCURRENCY", 2) * (pools + 1)


def read_connections() -> Connections:
    """Count the sessions; a container is an address that sessions of its role come from."""
    with connection.cursor() as cursor:
        cursor.execute(_LIMIT)
        (limit,) = cursor.fetchone()
        cursor.execute(_SESSIONS)
        rows = cursor.fetchall()
    addresses = {
        name: len({address for role, address, _ in rows if role in roles})
        for name, roles in (("web", _ROLES - {"leadgen worker"}), ("worker", {"leadgen worker"}))
    }
    used = sum(count for _, _, count in rows)
    return Connections(used, limit, addresses["web"], addresses["worker"])


def oldest_transaction() -> RunningTransaction | None:
    """Return the oldest transaction that holds up the event consumers; None without one."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST)
        row = cursor.fetchone()
    return RunningTransaction(timedelta(seconds=float(row[0])), row[1]) if row else None
