"""Access log of the edge: one line a request, written in batches."""

import asyncio
import logging
import select
import sys
from collections import deque
from datetime import UTC, datetime

import msgspec
from django.conf import settings
from msgspec import UNSET, UnsetType

logger = logging.getLogger("leadgen.access")

# A pipe that polls as writable has room for PIPE_BUF bytes, 4096 on Linux; a line has at most 400.
LINES_PER_WRITE = 10
MAX_WAITING = 10_000

_encode_lines = msgspec.json.Encoder().encode_lines


class AccessRecord(msgspec.Struct, frozen=True):
    """One log line, in the shape of JsonFormatter; it contains no personal data."""

    ts: datetime
    level: str
    logger: str
    message: str
    route: str
    status: int
    ms: int
    request_id: str
    receipt: str | UnsetType


class AccessLog:
    """Buffer lines for ``seconds`` and write them together, without blocking.

    Written one by one, the lines take as much time as validation. A crash loses the buffered lines,
    but no submission. While the reader of standard output is blocked or gone, up to MAX_WAITING
    lines are kept, the latest ones. Formats other than JSON are written through ``logging``.
    """

    def __init__(self, seconds: float = 0.2) -> None:
        self._seconds = seconds
        self._lines: deque[AccessRecord] = deque(maxlen=MAX_WAITING)
        self._timer: asyncio.TimerHandle | None = None
        self._is_json = settings.LOG_FORMAT == "json"

    def record(
        self, method: str, route: str, status: int, ms: int, request_id: str, receipt: str
    ) -> None:
        """Add the line of one response; ``ms`` in milliseconds."""
        if not logger.isEnabledFor(logging.INFO):
            return
        if not self._is_json:
            details = {"route": route, "status": status, "ms": ms}
            extra = {**details, "receipt": receipt} if receipt else details
            logger.info("%s %s %d", method, route, status, extra=extra)
            return
        if not self._timer:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self.write)
        message = f"{method} {route} {status}"
        at, receipt_value = datetime.now(UTC), receipt or UNSET
        line = AccessRecord(
            at, "INFO", logger.name, message, route, status, ms, request_id, receipt_value
        )
        self._lines.append(line)

    def write(self) -> None:
        """Write the buffered lines while standard output accepts them."""
        self._timer = None
        while self._lines and _is_writable():
            some = [self._lines.popleft() for _ in range(min(LINES_PER_WRITE, len(self._lines)))]
            sys.stdout.write(_encode_lines(some).decode())
            sys.stdout.flush()


def _is_writable() -> bool:
    poll = select.poll()
    poll.register(sys.stdout, select.POLLOUT)
    return [event for _, event in poll.poll(0)] == [select.POLLOUT]
