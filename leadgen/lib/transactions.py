"""What a machine that vanishes leaves behind."""

from django.db import connection


def set_idle_timeout(limit: str) -> None:
    """Have PostgreSQL end this transaction once it has heard nothing for so long, such as ``60s``.

    A machine that vanishes closes no connection: for hours all its locks would stay held.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [limit]
        )
