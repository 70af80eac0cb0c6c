"""The edge's access lines: one for each request, and many written together."""

import asyncio
import logging
import sys
from datetime import UTC, datetime

import msgspec
from django.conf import settings
from msgspec import UNSET, UnsetType

logger = logging.getLogger("leadgen.access")

_encode_lines = msgspec.json.Encoder().encode_lines


class Line(msgspec.Struct, frozen=True):
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
    and no submission. Any format but JSON goes through logging.
    """

    def __init__(self, seconds: float = 0.2) -> None:
        self._seconds = seconds
        self._lines: list[Line] = []
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
        if not self._lines:
            asyncio.get_running_loop().call_later(self._seconds, self.write)
        message = f"{method} {route} {status}"
        at, kept = datetime.now(UTC), receipt or UNSET
        line = Line(at, "INFO", logger.name, message, route, status, ms, request_id, kept)
        self._lines.append(line)

    def write(self) -> None:
        """Write what waits."""
        lines, self._lines = self._lines, []
        if lines:
            sys.stdout.write(_encode_lines(lines).decode())
            sys.stdout.flush()
