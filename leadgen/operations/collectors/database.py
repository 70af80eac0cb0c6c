"""Gauges of the database server's sessions and of recent visitors, read at the scrape."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import Error, connection, transaction
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from leadgen.lib.net.timeouts import run_with_timeout
from leadgen.operations.collectors import database_sessions, visitor_shares
from leadgen.operations.collectors.database_sessions import Connections, RunningTransaction
from leadgen.operations.collectors.visitor_shares import VisitorShares

SECONDS = 3.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """Connections, the oldest transaction that has written, and where submissions come from."""

    connections: Connections
    oldest: RunningTransaction | None
    visitors: VisitorShares


class DatabaseCollector(Collector):
    """No series while the database is unavailable; the ledger's collector reports that."""

    def collect(self) -> Iterable[Metric]:
        try:
            state = run_with_timeout(SECONDS, _read)
        except (Error, OSError) as error:
            logger.warning("database unavailable, its sessions cannot be read: %s", error)
            return
        age = state.oldest.age.total_seconds() if state.oldest else 0.0
        for name, text, value in (
            ("database_connections", "Connections in use on the server.", state.connections.used),
            ("database_connections_limit", "The server's limit.", state.connections.limit),
            (
                "database_oldest_transaction_seconds",
                "Age of the oldest transaction of this database that has written.",
                age,
            ),
            ("recent_submissions", "Of the last hour, 1,000 at most.", state.visitors.rows),
            (
                "recent_private_ratio",
                "Share of the recent submissions from the most frequent private network.",
                state.visitors.private,
            ),
            (
                "recent_flood_ratio",
                "Share of the recent submissions that are held as a flood.",
                state.visitors.flood,
            ),
        ):
            yield GaugeMetricFamily(f"leadgen_{name}", text, value=value)


def _read() -> DatabaseState:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '2s'")
        return DatabaseState(
            database_sessions.read_connections(),
            database_sessions.oldest_transaction(),
            visitor_shares.read_shares(),
        )
