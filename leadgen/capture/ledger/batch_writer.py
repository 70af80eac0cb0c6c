"""Group commit: rows that arrive during a commit are written together by the next one.

A row is committed before the visitor's request is answered (ADR 0012).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from leadgen.capture.errors import DatabaseUnavailableError, RowRejectedError
from leadgen.capture.ledger.circuit_breaker import CircuitBreaker
from leadgen.capture.ledger.connection import LedgerConnection
from leadgen.capture.ledger.record import (
    FIND,
    INSERT,
    SubmissionRecord,
    WriteResult,
    encode,
    find_value,
    found_in,
    joined,
    outcomes,
    receipts_in,
    undecided_rows,
)
from leadgen.capture.metrics import LEDGER_BATCH_ROWS, LEDGER_WRITE_SECONDS

logger = logging.getLogger("leadgen.capture")

BATCH_ROWS, BATCH_BYTES = 500, 1_000_000
QUEUE_ROWS, QUEUE_BYTES = 2_000, 16_000_000


class LedgerBusyError(DatabaseUnavailableError):
    """The queue is full: more rows wait than the database writes in a second."""


@dataclass(slots=True)
class _PendingWrite:
    row: SubmissionRecord
    text: str
    outcome: "asyncio.Future[WriteResult]"
    since: float = field(default_factory=monotonic)


class BatchWriter:
    """Write rows in batches, without a delay when idle.

    One statement and one commit at a time in each process. ``on_return`` is called when the
    database is available again after an outage.
    """

    def __init__(
        self,
        connection: LedgerConnection,
        on_return: Callable[[], None] = lambda: None,
        *,
        timeout: float = 1.0,
    ) -> None:
        self._connection = connection
        self._timeout = timeout
        # An empty INSERT fails on the same locks, rights and read-only servers as a full one.
        self._breaker = CircuitBreaker(lambda: connection.fetch(INSERT, "[]"), on_return)
        self._queue: deque[_PendingWrite] = deque()
        self._bytes = 0
        self._flusher: asyncio.Task[None] | None = None

    async def write(self, row: SubmissionRecord) -> WriteResult:
        """Return once the row, or its equal by idempotency key, is durable.

        Raise LedgerBusyError when the queue is full, DatabaseUnavailableError when the database is
        unavailable, RowRejectedError when it rejects the row. The row of a cancelled caller is
        still written.
        """
        waiting = self._enqueue(row)
        return await waiting.outcome

    async def close(self) -> None:
        """Write the queue and close the connection."""
        if self._flusher:
            await asyncio.wait({self._flusher})
        self._breaker.close()
        self._connection.close()

    def _enqueue(self, row: SubmissionRecord) -> _PendingWrite:
        text = encode(row)
        if self._is_busy(len(text)):
            raise LedgerBusyError
        waiting = _PendingWrite(row, text, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._bytes += len(text)
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        return waiting

    def _is_busy(self, size: int) -> bool:
        return bool(self._queue) and (
            len(self._queue) >= QUEUE_ROWS
            or self._bytes + size > QUEUE_BYTES
            or monotonic() - self._queue[0].since > self._timeout
        )

    async def _flush(self) -> None:
        try:
            while self._queue:
                await self._settle(self._take(BATCH_ROWS, BATCH_BYTES))
        finally:
            self._flusher = None

    def _take(self, rows: int, size: int) -> list[_PendingWrite]:
        """Take the first rows off the queue, at least one; equal keys keep their order."""
        batch: list[_PendingWrite] = []
        while self._queue and len(batch) < rows and size > 0:
            batch.append(self._queue.popleft())
            size -= len(batch[-1].text)
            self._bytes -= len(batch[-1].text)
        return sorted(batch, key=lambda waiting: waiting.row.lock_order)

    async def _settle(self, batch: Sequence[_PendingWrite]) -> None:
        """Write the rows; on rejection halve the batch until the faulty row is alone."""
        try:
            results = await self._write(batch)
        except RowRejectedError as error:
            if len(batch) == 1:
                return _fail(batch, error)
            middle = len(batch) // 2
            await self._settle(batch[:middle])
            return await self._settle(batch[middle:])
        except DatabaseUnavailableError as error:
            self._breaker.trip()
            return _fail([*batch, *self._take(len(self._queue), self._bytes)], error)
        except Exception:
            logger.exception("ledger write failed")
            return _fail(batch, DatabaseUnavailableError("ledger write failed"))
        for waiting, result in zip(batch, results, strict=True):
            if not waiting.outcome.done():
                waiting.outcome.set_result(result)
        return None

    async def _write(self, batch: Sequence[_PendingWrite]) -> list[WriteResult]:
        if self._breaker.is_open:
            raise DatabaseUnavailableError("the last write failed")
        rows = [waiting.row for waiting in batch]
        value = joined(waiting.text for waiting in batch)
        inserted = receipts_in(await self._connection.fetch(INSERT, value, prepared=True))
        LEDGER_BATCH_ROWS.observe(len(rows))
        LEDGER_WRITE_SECONDS.observe(monotonic() - min(waiting.since for waiting in batch))
        undecided = undecided_rows(rows, inserted)
        # Not prepared: a plan made for an empty table would later scan a full one.
        found = (
            found_in(await self._connection.fetch(FIND, find_value(undecided))) if undecided else []
        )
        return outcomes(rows, inserted, found)


def _fail(batch: Sequence[_PendingWrite], error: Exception) -> None:
    for waiting in batch:
        if not waiting.outcome.done():
            waiting.outcome.set_exception(error)
            waiting.outcome.exception()  # retrieved: a cancelled caller will not do it
