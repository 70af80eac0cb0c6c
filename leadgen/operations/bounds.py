"""What Django's side of the server takes of one request: so many bytes, in so much time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

# Larger than every page of the workspace sends, smaller than a disk.
MOST_BYTES = 32 * 1024 * 1024
# A body may take this long, and another second for each so many bytes of it.
SECONDS = 10.0
BYTES_PER_SECOND = 8 * 1024

_TOO_LARGE = (413, f"The body is too large: at most {MOST_BYTES} bytes.")
_TOO_SLOW = (408, "The body did not arrive in time.")


class Bounded:
    """Stands before Django, which reads whole bodies onto its disk and waits for them for ever."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if _declared(scope) > MOST_BYTES:
            await _refuse(send, _TOO_LARGE)
            return
        body = _Body(receive)
        await self._app(scope, body.receive, send)
        # Django, told that the client left, ends without an answer.
        if body.fault:
            await _refuse(send, body.fault)


class _Body:
    """Hands a body on until it breaks a bound; then the client has left, as far as Django knows."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read = 0
        self._started = asyncio.get_running_loop().time()
        self._is_whole = False
        self.fault: tuple[int, str] | None = None

    async def receive(self) -> Message:
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._started + SECONDS + self._read / BYTES_PER_SECOND):
                message = await self._receive()
        except TimeoutError:
            return self._give_up(_TOO_SLOW)
        self._read += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        return self._give_up(_TOO_LARGE) if self._read > MOST_BYTES else message

    def _give_up(self, fault: tuple[int, str]) -> Message:
        self.fault = fault
        return {"type": "http.disconnect"}


def _declared(scope: Any) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[-1]) if lengths and lengths[-1].isdigit() else 0


async def _refuse(send: Send, fault: tuple[int, str]) -> None:
    status, message = fault
    body = message.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
