"""Fallback of the ledger to the spool: write to PostgreSQL, else to the storage, else fail."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from leadgen.capture.errors import DatabaseUnavailableError, RowRejectedError
from leadgen.capture.ledger.batch_writer import BatchWriter
from leadgen.capture.ledger.record import SubmissionRecord, WriteResult, WriteStatus
from leadgen.capture.metrics import SPOOL
from leadgen.capture.spool import store
from leadgen.lib.telemetry.metrics import DEPENDENCY_ERRORS

logger = logging.getLogger("leadgen.capture")

THREADS = 8
MAX_WAITING = 1_000


class LedgerWithSpool:
    """Write rows to the ledger, and to the spool when the ledger write fails.

    The ``Ledger`` port of capture.submit. ``timeout`` bounds a spool write, in seconds.
    """

    def __init__(self, writer: BatchWriter, *, timeout: float = 4.0) -> None:
        self._writer = writer
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="spool")
        self._waiting = 0

    async def open(self) -> None:
        """Start to prepare the storage in the background; never raise."""
        asyncio.get_running_loop().run_in_executor(self._threads, store.prepare)

    async def write(self, row: SubmissionRecord) -> WriteResult:
        """Return once the row is durable; raise DatabaseUnavailableError when both writes fail.

        Ledger and spool use the same receipt, so a write that timed out but was committed and its
        spooled copy are one submission.
        """
        try:
            return await self._writer.write(row)
        except RowRejectedError as error:
            logger.error("ledger rejected a submission, writing it to the spool: %s", error)
        except DatabaseUnavailableError as error:
            logger.debug("ledger unavailable, writing to the spool: %s", error)
        await self._spool(row)
        return WriteResult(WriteStatus.SPOOLED, row.id)

    async def close(self) -> None:
        """Write the queue and close the connection."""
        await self._writer.close()
        self._threads.shutdown(wait=False)

    async def _spool(self, row: SubmissionRecord) -> None:
        if self._waiting >= MAX_WAITING:
            raise _failed("too many spool writes are pending")
        self._waiting += 1
        work = asyncio.get_running_loop().run_in_executor(self._threads, store.store, row)
        # A write that timed out still occupies its thread, so it counts until it ends.
        work.add_done_callback(self._done)
        await asyncio.wait({work}, timeout=self._timeout)
        if not work.done():
            raise _failed("storage timeout")
        if error := work.exception():
            raise _failed(type(error).__name__) from error
        SPOOL.labels("spooled").inc()

    def _done(self, work: "asyncio.Future[None]") -> None:
        self._waiting -= 1
        if not work.cancelled():
            work.exception()


def _failed(reason: str) -> DatabaseUnavailableError:
    DEPENDENCY_ERRORS.labels("storage").inc()
    SPOOL.labels("failed").inc()
    logger.error("submission not saved, ledger and spool unavailable: %s", reason)
    return DatabaseUnavailableError(reason)
