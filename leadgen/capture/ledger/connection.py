"""Database connection of the batch writer: one connection, a hard timeout on each call."""

import asyncio
import logging
from typing import Any

import psycopg
from psycopg import AsyncConnection

from leadgen.capture.errors import DatabaseUnavailableError, RowRejectedError
from leadgen.capture.ledger.libpq import LibpqConnection
from leadgen.capture.ledger.record import Texts
from leadgen.lib.postgresql import SET_STATEMENT_TIMEOUT
from leadgen.lib.postgresql.connections import connection_parameters, is_broken
from leadgen.lib.telemetry.metrics import DEPENDENCY_ERRORS

logger = logging.getLogger("leadgen.capture")


class LedgerConnection:
    """A connection that opens on use and closes on failure; one statement at a time."""

    def __init__(self, parameters: dict[str, Any] | None = None, *, timeout: float = 1.5) -> None:
        self._parameters = parameters
        self._timeout = timeout
        self._libpq: LibpqConnection | None = None

    async def fetch(self, statement: str, value: str, *, prepared: bool = False) -> Texts:
        """Run one statement in a transaction of its own and return its rows.

        The statement must be idempotent: after a broken connection it is sent once more. Raise
        RowRejectedError for a fault of the value, DatabaseUnavailableError for any other fault and
        after ``timeout`` seconds; a statement that timed out may still be committed.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self._fetch_again(statement, value, prepared)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise RowRejectedError(_first_line(error)) from error
        except (psycopg.Error, OSError) as error:  # a time-out is an OSError
            self.close()
            raise _unavailable(error) from error
        except asyncio.CancelledError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        libpq, self._libpq = self._libpq, None
        if libpq:
            libpq.close()

    async def _fetch_again(self, statement: str, value: str, prepared: bool) -> Texts:
        libpq = self._libpq
        if libpq and libpq.is_open:
            try:
                return await libpq.fetch(statement, value, prepared=prepared)
            except psycopg.Error as error:
                if not is_broken(error):
                    raise
        self.close()
        self._libpq = await self._connect()
        # The server's limit, 80 % of ours, ends first: a statement that waits for a lock is then
        # known to have failed.
        limit = SET_STATEMENT_TIMEOUT.format(pid=self._libpq.backend_pid)
        await self._libpq.fetch(limit, str(int(self._timeout * 800)), prepared=False)
        return await self._libpq.fetch(statement, value, prepared=prepared)

    async def _connect(self) -> LibpqConnection:
        parameters = self._parameters or connection_parameters()
        fixed = {
            "autocommit": True,
            "client_encoding": "utf8",
            "application_name": "leadgen writer",
        }
        # psycopg's coroutines only connect: a cancelled one waits ten seconds.
        connection = await AsyncConnection.connect(**{"connect_timeout": 2, **parameters, **fixed})
        return LibpqConnection(connection)


def _unavailable(error: Exception) -> DatabaseUnavailableError:
    DEPENDENCY_ERRORS.labels("database").inc()
    logger.warning("database unavailable, ledger write failed: %s", type(error).__name__)
    return DatabaseUnavailableError(type(error).__name__)


def _first_line(error: Exception) -> str:
    # PostgreSQL's further lines quote values, which are personal data of the answers.
    return next(iter(str(error).splitlines()), type(error).__name__)
