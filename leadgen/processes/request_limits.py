"""Limits on request bodies for Django's views: size, time and concurrent number."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import OperationalError

from leadgen.accounts.session_lookup import is_logged_in
from leadgen.lib.net.ip import packed_network, scope_address
from leadgen.processes.metrics import BODIES_REFUSED

logger = logging.getLogger(__name__)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

# Before log-in: the log-in page sends less than 1 KB.
ANONYMOUS_BYTES = 256 * 1024
# After log-in: Django's DATA_UPLOAD_MAX_MEMORY_SIZE. No page accepts files yet.
MAX_BYTES = 2_621_440
# Time-out of a body: SECONDS, and one more for each BYTES_PER_SECOND, at most MAX_SECONDS.
SECONDS = 10.0
BYTES_PER_SECOND = 8 * 1024
MAX_SECONDS = 60.0
# A body larger than this needs a slot until it is answered.
# 64 of 256 KB are 16 MB a process.
FREE_BYTES = 16 * 1024
SLOTS = 64
SLOTS_PER_NETWORK = 16
# Concurrent bodies above ANONYMOUS_BYTES, and so concurrent look-ups of their sessions.
LARGE_SLOTS = 4
# Time after a refusal in which the rest of the body is read.
LINGER_SECONDS = 2.0

_TOO_LARGE = (
    413,
    f"The body is too large: at most {ANONYMOUS_BYTES:,} bytes, {MAX_BYTES:,} when logged in.",
)
_TOO_SLOW = (408, "The body did not arrive in time.")
_TOO_MANY = (429, "Too many large requests at once. Try again in a few seconds.")
_AWAY = (503, "The database is not available just now. Try again in a minute.")
_RETRY_SECONDS = {429: b"5", 503: b"30"}


class _RefusedError(Exception):
    """A body that breaks a limit: status and text of the answer."""

    def __init__(self, fault: tuple[int, str]) -> None:
        super().__init__(*fault)
        self.fault = fault


class _Slots:
    """Counting semaphore of bodies in flight, for the process and for each network."""

    def __init__(self) -> None:
        self._networks: Counter[bytes] = Counter()
        self._total = 0
        self._large = 0

    def take(self, origin: bytes) -> None:
        if self._total >= SLOTS or self._networks[origin] >= SLOTS_PER_NETWORK:
            raise _RefusedError(_TOO_MANY)
        self._total += 1
        self._networks[origin] += 1

    def free(self, origin: bytes) -> None:
        self._total -= 1
        self._networks[origin] -= 1
        if not self._networks[origin]:
            del self._networks[origin]

    def take_large(self) -> None:
        if self._large >= LARGE_SLOTS:
            raise _RefusedError(_TOO_MANY)
        self._large += 1

    def free_large(self) -> None:
        self._large -= 1


class RequestLimits:
    """ASGI middleware that limits bodies; Django would spool any size to disk without time-out."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._slots = _Slots()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        body = _Body(scope, receive, self._slots)
        try:
            await body.open()
            await self._app(scope, body.receive, send)
        except _RefusedError as refused:
            body.fault = refused.fault
        finally:
            body.close()
        # Django ends without an answer after `http.disconnect`.
        if body.fault:
            await _refuse(send, body.fault)
            await _discard(receive)


class _Body:
    """Body of one request: forwarded until it exceeds a limit, then `http.disconnect`."""

    def __init__(self, scope: Any, receive: Receive, slots: _Slots) -> None:
        self._scope = scope
        self._receive = receive
        self._slots = slots
        self._read = 0
        self._limit = ANONYMOUS_BYTES
        self._origin: bytes | None = None
        self._is_whole = False
        self._started = asyncio.get_running_loop().time()
        self.fault: tuple[int, str] | None = None

    async def open(self) -> None:
        """Raise _RefusedError for a body that declares too much, before any of it is read."""
        if (declared := _declared(self._scope)) > self._limit:
            await self._widen(declared)

    def close(self) -> None:
        """Release the slots of this body; Django holds the body until it has answered."""
        if self._origin is not None:
            self._slots.free(self._origin)
            self._origin = None
        if self._limit > ANONYMOUS_BYTES:
            self._slots.free_large()
            self._limit = ANONYMOUS_BYTES

    async def receive(self) -> Message:
        if self._is_whole:
            return await self._receive()
        try:
            return await self._next()
        except TimeoutError:
            self.fault = _TOO_SLOW
        except _RefusedError as refused:
            self.fault = refused.fault
        self._is_whole = True
        return {"type": "http.disconnect"}

    async def _next(self) -> Message:
        allowed = min(SECONDS + self._read / BYTES_PER_SECOND, MAX_SECONDS)
        async with asyncio.timeout_at(self._started + allowed):
            message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > self._limit:
            await self._widen(self._read)
        if self._read > FREE_BYTES and self._origin is None:
            origin = _origin(self._scope)
            self._slots.take(origin)
            self._origin = origin
        self._is_whole = not message.get("more_body", False)
        return message

    async def _widen(self, size: int) -> None:
        """Allow more if a person is logged in. A cookie can be forged, so its session is read."""
        if self._limit == MAX_BYTES or size > MAX_BYTES or b"cookie" not in _names(self._scope):
            raise _RefusedError(_TOO_LARGE)
        self._slots.take_large()
        self._limit = MAX_BYTES
        if not await _is_logged_in(self._scope):
            raise _RefusedError(_TOO_LARGE)


async def _is_logged_in(scope: Any) -> bool:
    cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    ask = sync_to_async(is_logged_in, thread_sensitive=False)
    try:
        return await ask(cookies.decode("latin-1"))
    except OperationalError as error:
        raise _RefusedError(_AWAY) from error


def _declared(scope: Any) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    # More digits than any size has: int() refuses more than 4,300 of them.
    digits = lengths[-1][:18] if lengths else b""
    return int(digits) if digits.isdigit() else 0


def _names(scope: Any) -> set[bytes]:
    return {name for name, _ in scope["headers"]}


def _origin(scope: Any) -> bytes:
    hops = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    return packed_network(scope_address(scope, hops.decode("latin-1"), settings.TRUSTED_PROXIES))


async def _discard(receive: Receive) -> None:
    """Read for a moment: closing with unread bytes resets the connection and loses the answer."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while (message := await receive()).get("more_body"):
                del message


async def _refuse(send: Send, fault: tuple[int, str]) -> None:
    status, message = fault
    BODIES_REFUSED.labels(str(status)).inc()
    body = message.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if status in _RETRY_SECONDS:
        headers.append((b"retry-after", _RETRY_SECONDS[status]))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
