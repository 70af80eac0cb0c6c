"""The edge's access lines: one for each request, and many written together."""

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

# Lines of at most 400 bytes each: so many are less than the room that a ready pipe has (POSIX).
AT_ONCE = 10
MOST_WAITING = 10_000

_encode_lines = msgspec.json.Encoder().encode_lines


class AccessRecord(msgspec.Struct, frozen=True):
    """What one line says, as JsonFormatter would write it; nothing here is a person's."""

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
    """Keeps lines for ``seconds`` and writes them with one call.

    Written one by one they cost as much as validation does; a crash takes the last of them along,
    and no submission. A reader that stands still or is gone holds no visitor up: the lines wait
    for it, and the oldest make room. Any format but JSON goes through logging.
    """

    def __init__(self, seconds: float = 0.2) -> None:
        self._seconds = seconds
        self._lines: deque[AccessRecord] = deque(maxlen=MOST_WAITING)
        self._timer: asyncio.TimerHandle | None = None
        self._is_json = settings.LOG_FORMAT == "json"

    def tell(
        self, method: str, route: str, status: int, ms: int, request_id: str, receipt: str
    ) -> None:
        """Note one answer."""
        if not logger.isEnabledFor(logging.INFO):
            return
        if not self._is_json:
            told = {"route": route, "status": status, "ms": ms}
            extra = {**told, "receipt": receipt} if receipt else told
            logger.info("%s %s %d", method, route, status, extra=extra)
            return
        if not self._timer:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self.write)
        message = f"{method} {route} {status}"
        at, kept = datetime.now(UTC), receipt or UNSET
        line = AccessRecord(at, "INFO", logger.name, message, route, status, ms, request_id, kept)
        self._lines.append(line)

    def write(self) -> None:
        """Write what waits, as far as somebody takes it."""
        self._timer = None
        while self._lines and _is_taken():
            some = [self._lines.popleft() for _ in range(min(AT_ONCE, len(self._lines)))]
            sys.stdout.write(_encode_lines(some).decode())
            sys.stdout.flush()


def _is_taken() -> bool:
    poll = select.poll()
    poll.register(sys.stdout, select.POLLOUT)
    return [event for _, event in poll.poll(0)] == [select.POLLOUT]
