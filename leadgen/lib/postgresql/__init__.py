"""Connections to PostgreSQL: their names, the pool of the web role, and statement time limits."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ENGINE = "leadgen.lib.postgresql"

# Set the time limit of the session in milliseconds, but not through a pooler such as PgBouncer: in
# transaction mode the session belongs to other clients too, so a migration would meet the limit of
# a page. A pooler gives clients a process number of its own, so the two numbers differ.
SET_STATEMENT_TIMEOUT = (
    "SELECT set_config('statement_timeout', %s, false) WHERE pg_backend_pid() = {pid:d}"
)

# Pages wait this long for a free connection.
_WAIT_SECONDS = 5
# Pages that may wait at once. A page takes about 50 ms, so more could not be served in time.
_MAX_WAITING = 100
# Time limit of reconnecting in the background; the next page that needs a connection retries.
_RECONNECT_SECONDS = 1.0


def process_name(arguments: Sequence[str] | None = None) -> str:
    """Return the role or command of this process, for pg_stat_activity."""
    program, *words = arguments or sys.argv
    if Path(program).stem == "manage":
        return words[0] if words else "manage"
    roles = [word for word in words if word in ("worker", "beat")]
    return roles[0] if roles else Path(program).stem


def pool_connections(database: dict[str, Any], size: int, statement_seconds: int) -> None:
    """Change an entry of DATABASES in place so that threads share at most ``size`` connections.

    Call it before the first connection of the process.
    """
    database |= {
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": False,  # base.py checks
        "STATEMENT_SECONDS": statement_seconds,
    }
    database["OPTIONS"] |= {
        "application_name": "leadgen web",
        "pool": {
            "min_size": 1,
            "max_size": size,
            "timeout": _WAIT_SECONDS,
            "max_waiting": _MAX_WAITING,
            "reconnect_timeout": _RECONNECT_SECONDS,
        },
    }
