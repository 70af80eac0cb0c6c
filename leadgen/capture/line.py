"""The writer's one connection to PostgreSQL, with a hard time limit on everything it does."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from leadgen.capture.database import DatabaseAwayError, connection_parameters, is_broken
from leadgen.lib.metrics import DEPENDENCY_ERRORS

logger = logging.getLogger("leadgen.capture")


class RefusedError(Exception):
    """PostgreSQL works, and will not have these rows: a constraint, a value, an encoding."""


class Line:
    """A connection made when it is needed and dropped when it fails; one statement at a time."""

    def __init__(self, parameters: dict[str, Any] | None = None, *, patience: float = 1.5) -> None:
        self._parameters = parameters
        self._patience = patience
        self._connection: AsyncConnection | None = None
        self._left_behind: set[asyncio.Task[list[TupleRow]]] = set()

    async def fetch(self, statement: str, values: Sequence[Any]) -> list[TupleRow]:
        """Run one statement in a transaction of its own and return its rows.

        It must be harmless to run twice: over a connection that turns out dead it is sent again.
        Raise RefusedError for a fault of the values, DatabaseAwayError for every other and after
        ``patience`` seconds; what was sent then may still be committed.
        """
        work = asyncio.create_task(self._fetch_again(statement, values))
        await asyncio.wait({work}, timeout=self._patience)
        if not work.done():
            self._leave_behind(work)
            raise _away(TimeoutError())
        try:
            return work.result()
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise RefusedError(_first_line(error)) from error
        except (psycopg.Error, OSError) as error:
            raise _away(error) from error

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection:
            await connection.close()

    async def _fetch_again(self, statement: str, values: Sequence[Any]) -> list[TupleRow]:
        fresh = self._connection is None
        try:
            return await self._fetch(statement, values)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if not is_broken(error):
                raise
            await self.close()
            if fresh:
                raise
            return await self._fetch(statement, values)

    async def _fetch(self, statement: str, values: Sequence[Any]) -> list[TupleRow]:
        if self._connection is None:
            self._connection = await self._connect()
        # Not prepared in the server: poolers in transaction mode lose what is.
        cursor = await self._connection.execute(statement, values)
        return await cursor.fetchall()

    async def _connect(self) -> AsyncConnection:
        parameters = self._parameters or connection_parameters()
        connection = await AsyncConnection.connect(
            **{"connect_timeout": 2, **parameters, "autocommit": True, "prepare_threshold": None}
        )
        # The server gives up first, so that a statement which waits for a lock is not in doubt.
        limit = str(int(self._patience * 800))
        await connection.execute("SELECT set_config('statement_timeout', %s, false)", [limit])
        return connection

    def _leave_behind(self, work: asyncio.Task[list[TupleRow]]) -> None:
        """Let the work and its connection end by themselves: a frozen server holds both up."""
        connection, self._connection = self._connection, None
        self._left_behind.add(work)
        work.add_done_callback(lambda _: self._forget(work, connection))
        work.cancel()

    def _forget(
        self, work: asyncio.Task[list[TupleRow]], connection: AsyncConnection | None
    ) -> None:
        self._left_behind.discard(work)
        if not work.cancelled():
            work.exception()
        if connection:
            connection.pgconn.finish()


def _away(error: Exception) -> DatabaseAwayError:
    DEPENDENCY_ERRORS.labels("database").inc()
    logger.warning("the ledger was not written: %s", type(error).__name__)
    return DatabaseAwayError(type(error).__name__)


def _first_line(error: Exception) -> str:
    # PostgreSQL's further lines quote values: they belong to the answers, not to an error.
    return next(iter(str(error).splitlines()), type(error).__name__)
