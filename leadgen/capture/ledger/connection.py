"""The writer's one connection to PostgreSQL, with a hard time limit on everything it does."""

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
    """A connection made when it is needed and dropped when it fails; one statement at a time."""

    def __init__(self, parameters: dict[str, Any] | None = None, *, timeout: float = 1.5) -> None:
        self._parameters = parameters
        self._timeout = timeout
        self._wire: LibpqConnection | None = None

    async def fetch(self, statement: str, value: str, *, prepared: bool = False) -> Texts:
        """Run one statement in a transaction of its own and return its rows.

        It must be harmless to run twice: over a connection that turns out dead it is sent again.
        Raise RefusedError for a fault of the value, DatabaseAwayError for every other and after
        ``timeout`` seconds; what was sent then may still be committed.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self._fetch_again(statement, value, prepared)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise RowRejectedError(_first_line(error)) from error
        except (psycopg.Error, OSError) as error:  # a time-out is an OSError
            self.close()
            raise _away(error) from error
        except asyncio.CancelledError:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        wire, self._wire = self._wire, None
        if wire:
            wire.close()

    async def _fetch_again(self, statement: str, value: str, prepared: bool) -> Texts:
        wire = self._wire
        if wire and wire.is_open:
            try:
                return await wire.fetch(statement, value, prepared=prepared)
            except psycopg.Error as error:
                if not is_broken(error):
                    raise
        self.close()
        self._wire = await self._connect()
        # The server gives up first, so that a statement which waits for a lock is not in doubt.
        limit = SET_STATEMENT_TIMEOUT.format(pid=self._wire.backend_pid)
        await self._wire.fetch(limit, str(int(self._timeout * 800)), prepared=False)
        return await self._wire.fetch(statement, value, prepared=prepared)

    async def _connect(self) -> LibpqConnection:
        parameters = self._parameters or connection_parameters()
        fixed = {
            "autocommit": True,
            "client_encoding": "utf8",
            "application_name": "leadgen writer",
        }
        # Nothing else is left to psycopg's own coroutines: one that is cancelled waits ten seconds.
        connection = await AsyncConnection.connect(**{"connect_timeout": 2, **parameters, **fixed})
        return LibpqConnection(connection)


def _away(error: Exception) -> DatabaseUnavailableError:
    DEPENDENCY_ERRORS.labels("database").inc()
    logger.warning("the ledger was not written: %s", type(error).__name__)
    return DatabaseUnavailableError(type(error).__name__)


def _first_line(error: Exception) -> str:
    # PostgreSQL's further lines quote values: they belong to the answers, not to an error.
    return next(iter(str(error).splitlines()), type(error).__name__)
