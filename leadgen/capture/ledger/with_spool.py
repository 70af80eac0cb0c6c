"""The ledger as channels see it: a row is in PostgreSQL, or else in the spool, or refused."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from leadgen.capture.errors import DatabaseUnavailableError, RowRejectedError
from leadgen.capture.ledger.batch_writer import BatchWriter
from leadgen.capture.ledger.record import SubmissionRecord, WriteResult, WriteStatus
from leadgen.capture.spool import store
from leadgen.lib.telemetry.metrics import DEPENDENCY_ERRORS, SPOOL

logger = logging.getLogger("leadgen.capture")

THREADS = 8
MOST_WAITING = 1_000


class LedgerWithSpool:
    """Writes to the ledger, and to the spool what the ledger does not take."""

    def __init__(self, writer: BatchWriter, *, timeout: float = 4.0) -> None:
        self._writer = writer
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="spool")
        self._waiting = 0

    async def open(self) -> None:
        """Begin to make the storage ready, in the background; never fails."""
        asyncio.get_running_loop().run_in_executor(self._threads, store.prepare)

    async def write(self, row: SubmissionRecord) -> WriteResult:
        """Return once the row is durable; raise DatabaseAwayError when nothing could be kept.

        The receipt stays the same on both ways, so a write in doubt and its spooled twin are one.
        """
        try:
            return await self._writer.write(row)
        except RowRejectedError as error:
            logger.error("the ledger refused a submission, the spool keeps it: %s", error)
        except DatabaseUnavailableError as error:
            logger.debug("to the spool: %s", error)
        await self._spool(row)
        return WriteResult(WriteStatus.SPOOLED, row.id)

    async def close(self) -> None:
        """Write what waits and let go of the connection."""
        await self._writer.close()
        self._threads.shutdown(wait=False)

    async def _spool(self, row: SubmissionRecord) -> None:
        if self._waiting >= MOST_WAITING:
            raise _failed("too many wait for the storage")
        self._waiting += 1
        work = asyncio.get_running_loop().run_in_executor(self._threads, store.store, row)
        # A storage that hangs holds its threads, so what it holds is counted until it lets go.
        work.add_done_callback(self._done)
        await asyncio.wait({work}, timeout=self._timeout)
        if not work.done():
            raise _failed("no answer in time")
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
    logger.error("neither the ledger nor the spool took a submission: %s", reason)
    return DatabaseUnavailableError(reason)
