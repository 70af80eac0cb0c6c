"""Idle-in-transaction timeout of the current transaction."""

from django.db import connection


def set_idle_timeout(limit: str) -> None:
    """Set PostgreSQL's idle-in-transaction timeout for this transaction; ``limit`` such as ``60s``.

    A machine that loses power or network closes no connection: its locks would be held for hours.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [limit]
        )
