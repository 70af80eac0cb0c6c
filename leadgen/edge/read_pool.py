"""Connection pool of the edge: asynchronous reads from PostgreSQL, without the ORM."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import psycopg
from django.conf import settings
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from leadgen.capture.errors import DatabaseUnavailableError
from leadgen.lib.postgresql import SET_STATEMENT_TIMEOUT
from leadgen.lib.postgresql.connections import connection_parameters, is_broken
from leadgen.lib.telemetry.metrics import DEPENDENCY_ERRORS

logger = logging.getLogger("leadgen.capture")

_STATEMENT_MS = 3000


class ReadPool:
    """A pool that opens while PostgreSQL is unavailable and reconnects after an outage.

    ``timeout`` bounds the wait for a connection, in seconds.
    """

    def __init__(self, parameters: dict[str, Any] | None = None, *, timeout: float = 3.0) -> None:
        self._parameters = parameters
        self._timeout = timeout
        self._pool: AsyncConnectionPool | None = None

    async def open(self) -> AsyncConnectionPool:
        """Return the pool, which connects in the background; never raise."""
        if self._pool is None:
            self._pool = self._make_pool()
            await self._pool.open(wait=False)
        return self._pool

    async def close(self) -> None:
        """Close all connections."""
        pool, self._pool = self._pool, None
        if pool:
            await pool.close(timeout=2)

    async def fetch(self, statement: str, values: Sequence[Any]) -> list[TupleRow]:
        """Run one statement in a transaction of its own and return its rows.

        The statement must be idempotent: after a broken connection it is sent once more. Raise
        DatabaseUnavailableError for every fault.
        """
        pool = await self.open()
        try:
            async with asyncio.timeout(self._timeout + 1):
                return await _fetch_again(pool, statement, values)
        except (psycopg.Error, TimeoutError) as error:
            DEPENDENCY_ERRORS.labels("database").inc()
            logger.warning("database unavailable, read failed: %s", type(error).__name__)
            raise DatabaseUnavailableError from error

    def _make_pool(self) -> AsyncConnectionPool:
        parameters = self._parameters or connection_parameters()
        return AsyncConnectionPool(
            kwargs={
                "connect_timeout": max(2, int(self._timeout)),
                "autocommit": True,
                # Poolers in transaction mode lose prepared statements.
                "prepare_threshold": None,
                **parameters,
                "application_name": "leadgen capture",
            },
            min_size=1,
            max_size=settings.CAPTURE_POOL_SIZE,
            timeout=self._timeout,
            # Seconds of reconnecting; the next request that needs a connection starts it again.
            reconnect_timeout=1.0,
            configure=_bound_statements,
            open=False,
            name="capture",
        )


async def _fetch_again(
    pool: AsyncConnectionPool, statement: str, values: Sequence[Any]
) -> list[TupleRow]:
    try:
        return await _fetch(pool, statement, values)
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        if isinstance(error, PoolTimeout) or not is_broken(error):
            raise
        await pool.check()
        return await _fetch(pool, statement, values)


async def _fetch(
    pool: AsyncConnectionPool, statement: str, values: Sequence[Any]
) -> list[TupleRow]:
    async with pool.connection() as connection:
        cursor = await connection.execute(statement, values)
        return await cursor.fetchall()


async def _bound_statements(connection: AsyncConnection[Any]) -> None:
    statement = SET_STATEMENT_TIMEOUT.format(pid=connection.info.backend_pid)
    await connection.execute(statement, [str(_STATEMENT_MS)])
