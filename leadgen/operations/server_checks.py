"""Checks of the doctor that watch the server in use: connections, transactions, disk, visitors."""

from collections.abc import Callable
from datetime import timedelta

from leadgen.operations.collectors import database_sessions, disk, visitor_shares

# A batch takes seconds. The alert LeadgenTransactionIsOld has the same limit.
_MAX_TRANSACTION_AGE = timedelta(minutes=5)


def _connections() -> str:
    found = database_sessions.read_connections()
    budget = f"the containers seen may open {found.budget}"
    text = f"{found.used} of {found.limit} in use, {budget}"
    if max(found.budget, found.used) > found.limit:
        raise UserWarning(
            f"{text}: raise max_connections, lower DATABASE_POOL_SIZE, CAPTURE_POOL_SIZE or the"
            " replicas, or put PgBouncer in front."
        )
    return text


def _transactions() -> str:
    oldest = database_sessions.oldest_transaction()
    if oldest and oldest.age > _MAX_TRANSACTION_AGE:
        minutes = oldest.age / timedelta(minutes=1)
        raise UserWarning(
            f"{oldest.subject} has run for {minutes:.0f} minutes: timeline, notifications and"
            " vacuum wait for it. End it: SELECT pg_terminate_backend(pid), or ROLLBACK PREPARED."
        )
    return "none has run for more than five minutes"


def _disk() -> str:
    free = disk.free_ratio()
    if free < disk.MIN_FREE:
        raise UserWarning(f"{free:.0%} is free: a full disk stops PostgreSQL and the spool.")
    return f"{free:.0%} is free"


def _visitors() -> str:
    shares = visitor_shares.read_shares()
    if advice := shares.advice:
        raise UserWarning(advice)
    return f"{shares.rows} submissions in the last hour, {shares.flood:.0%} held as a flood"


CHECKS: list[tuple[str, str, Callable[[], str]]] = [
    ("connections", "", _connections),
    ("transactions", "", _transactions),
    ("disk", "", _disk),
    ("visitors", "", _visitors),
]
