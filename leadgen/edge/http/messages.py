"""HTTP messages of the edge: request, response, refusal."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec

from leadgen.lib.net.ip import scope_address

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

BODY_SECONDS = 10.0
_CHARSET = re.compile(r"charset=[\"']?([^\s;\"']+)", re.IGNORECASE)
# US-ASCII is a part of UTF-8.
_CHARSETS = {"utf-8", "utf8", "us-ascii", "ascii"}
# Content codings are case-insensitive, and identity is none (RFC 9110, 8.4.1).
_NO_CODING = {"", "identity"}


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """A response with status 4xx or 5xx and a message that names what to change."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


AWAY = Refusal(503, "This cannot be answered just now. Try again in a moment.", retry_after="2")
# The Retry-After of a minute: a roll-out takes minutes.
UPDATING = Refusal(503, "This form is being updated. Try again in a minute.", retry_after="60")


class ClientGoneError(Exception):
    """The client disconnected before its request was complete."""


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response; ``send`` adds the Content-Length.

    ``receipt`` is the receipt that the response acknowledges, for the access log.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    receipt: str = ""

    def having(self, headers: Mapping[str, str]) -> Self:
        """Return a copy of the response with additional headers."""
        return type(self)(self.status, self.body, {**self.headers, **headers}, self.receipt)

    async def send(self, send: Send, *, head: bool) -> None:
        """Send the response; ``head`` omits the body and keeps its length."""
        headers = {"content-length": str(len(self.body)), **self.headers}
        if self.status in (204, 304):
            del headers["content-length"]
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        await send({"type": "http.response.body", "body": b"" if head else self.body})


def json_response(status: int, data: Any, receipt: str = "", **headers: str) -> Response:
    """Return ``data`` as JSON with ``Cache-Control: no-store``."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    common = {"content-type": "application/json", "cache-control": "no-store"}
    return Response(status, msgspec.json.encode(data), {**common, **extra}, receipt)


@dataclass(slots=True)
class Request:
    """A request; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    address: str
    receive: Receive
    scheme: str = "http"
    _content: bytes | Refusal = b""

    @classmethod
    def of(cls, scope: Scope, receive: Receive, proxies: int) -> Self:
        """Build the request from its ASGI scope; ``proxies`` is the number of trusted proxies."""
        headers = headers_of(scope)
        return cls(
            method=scope["method"],
            path=scope["path"],
            query=scope.get("query_string", b"").decode("latin-1"),
            headers=headers,
            address=scope_address(scope, headers.get("x-forwarded-for", ""), proxies),
            receive=receive,
            scheme=scope.get("scheme", "http"),
        )

    @property
    def media_type(self) -> str:
        """The media type of the body without parameters, such as ``application/json``."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def body(self) -> bytes:
        """The body; raise the Refusal of a body that was too large, encoded or late."""
        if isinstance(self._content, Refusal):
            raise self._content
        return self._content

    async def read(self, limit: int, admit: "Callable[[Request, int], None]") -> None:
        """Receive the body, ``limit`` bytes at most, before any other wait.

        ``admit`` is told the size that has arrived and may raise a Refusal.

        gunicorn discards a received body once the client disconnects, and a visitor may leave right
        after sending.
        """
        try:
            self._content = await self._arrived(limit, admit)
        except Refusal as refusal:
            # The traceback would keep this request and the pieces of its body in a reference cycle.
            self._content = refusal.with_traceback(None)

    async def _arrived(self, limit: int, admit: "Callable[[Request, int], None]") -> bytes:
        codings = self.headers.get("content-encoding")
        if codings and not {each.strip() for each in codings.lower().split(",")} <= _NO_CODING:
            raise Refusal(415, "Send the body without Content-Encoding.")
        charset = _CHARSET.search(self.headers.get("content-type", ""))
        if charset and charset[1].lower() not in _CHARSETS:
            raise Refusal(415, "Send the body as UTF-8.")
        declared = self.headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > limit:
            raise Refusal(413, _too_large(limit), connection="close")
        try:
            return await self._joined(limit, admit)
        except TimeoutError:
            raise Refusal(408, "The body did not arrive in time.", connection="close") from None

    async def _joined(self, limit: int, admit: "Callable[[Request, int], None]") -> bytes:
        parts: list[bytes] = []
        size = 0
        deadline = asyncio.get_running_loop().time() + BODY_SECONDS
        while True:
            # A timeout of its own for each piece: a piece that arrives when the timeout expires
            # would suppress it.
            async with asyncio.timeout_at(deadline):
                message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                raise Refusal(413, _too_large(limit), connection="close")
            admit(self, size)
            if not message.get("more_body"):
                return b"".join(parts)


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by name in lower case; repeated headers are joined (RFC 9110, 5.2)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _too_large(limit: int) -> str:
    return f"The body is too large: at most {limit} bytes."
