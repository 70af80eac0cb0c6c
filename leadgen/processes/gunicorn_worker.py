"""ASGI worker of gunicorn with time-outs and connection limits against slow clients."""

import functools
import re
import socket
from asyncio import Transport
from collections import Counter
from typing import Any

from django.conf import settings
from gunicorn.asgi import protocol
from gunicorn.asgi.parser import ParseError
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers import gasgi

from leadgen.lib.net.ip import packed_network
from leadgen.processes.security_headers import security_headers

# For the headers of the first request; gunicorn itself waits without limit.
HEADER_SECONDS = 10.0
# For the next acknowledgement of sent data (TCP_USER_TIMEOUT).
ACKNOWLEDGE_SECONDS = 20
# One address may hold 1/2 of the connections of a process: an office may share one address.
ADDRESS_SHARE = 2
# Pieces of one body: chunks, or what one read of the socket took. 2.6 MB, the most that any page
# takes, are 1,800 segments of TCP. One body of 200,000 one-byte chunks stopped a process for 3 s.
MAX_PIECES = 4096
# RFC 9112 section 3.2.2: a server must accept the absolute form, and its host replaces Host.
_ABSOLUTE = re.compile(r"https?://(?:[^/]*@)?([^/]*)(.*)", re.IGNORECASE | re.DOTALL)


class Protocol(ASGIProtocol):  # type: ignore[misc]  # gunicorn has no types
    """Connection with a time-out for headers and a connection limit for its address."""

    _pieces = 0

    def connection_made(self, transport: Transport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._network = packed_network(peer[0]) if isinstance(peer, tuple) else b""
        self.worker.held.add(self, self._network)
        # gunicorn's keep-alive timer: the first request stops it.
        self._keepalive_handle = self.worker.loop.call_later(
            HEADER_SECONDS, self._keepalive_timeout
        )
        self._bound()

    def connection_lost(self, exc: Exception | None) -> None:
        self.worker.held.discard(self, self._network)
        super().connection_lost(exc)

    @property
    def is_waiting(self) -> bool:
        """Whether no request is in work: none has arrived yet, or none since the last answer."""
        return self._keepalive_handle is not None

    def abort(self) -> None:
        """Close the connection at once."""
        self.worker.held.discard(self, self._network)
        self.transport.abort()

    def _bound(self) -> None:
        """Close this connection beyond the limit of its address, else the oldest idle one."""
        most = self.cfg.worker_connections
        held: Held = self.worker.held
        # Behind a proxy all connections come from its address.
        if not settings.TRUSTED_PROXIES and held.of(self._network) > most // ADDRESS_SHARE:
            _count("address")
            self.abort()
        elif len(held) > most:
            _count("full")
            held.oldest_waiting(self).abort()

    def _on_body(self, chunk: bytes) -> None:
        """Pass a piece of the body on; ParseError, answered with 400, beyond ``MAX_PIECES``."""
        self._pieces += 1
        if self._pieces > MAX_PIECES:
            raise ParseError("The body comes in too many pieces: send larger chunks.")
        super()._on_body(chunk)

    def _on_message_complete(self) -> None:
        self._pieces = 0
        super()._on_message_complete()

    def _build_http_scope(self, request: Any, sockname: Any, peername: Any) -> dict[str, Any]:
        """Return the ASGI scope; of an absolute request target only the path is passed on."""
        scope: dict[str, Any] = super()._build_http_scope(request, sockname, peername)
        if not scope["path"].startswith("/") and (target := _ABSOLUTE.fullmatch(scope["path"])):
            raw = _ABSOLUTE.fullmatch(scope["raw_path"].decode("latin-1")) or target
            scope["path"], scope["raw_path"] = target[2] or "/", (raw[2] or "/").encode("latin-1")
            others = [header for header in scope["headers"] if header[0] != b"host"]
            scope["headers"] = [(b"host", target[1].encode("latin-1", "replace")), *others]
        return scope

    def _send_error_response(
        self, status: int, message: str, extra_headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """Send gunicorn's own answer, such as 400 or 431, with the headers of all others."""
        super()._send_error_response(status, message, (*extra_headers, *self.worker.headers))

    def _feed_callback_parser(self, data: bytes) -> bool:
        """Answer 400 to a Content-Length of more digits than int() takes (4,300)."""
        try:
            return bool(super()._feed_callback_parser(data))
        except ValueError:
            self._send_error_response(400, "A number in the request is too long.")
            self._close_transport()
            return False


class Held:
    """The open connections of a process, oldest first, and how many each network has."""

    def __init__(self) -> None:
        self._connections: dict[Protocol, None] = {}
        self._networks: Counter[bytes] = Counter()

    def __len__(self) -> int:
        return len(self._connections)

    def add(self, connection: Protocol, origin: bytes) -> None:
        self._connections[connection] = None
        self._networks[origin] += 1

    def discard(self, connection: Protocol, origin: bytes) -> None:
        if connection in self._connections:
            del self._connections[connection]
            self._networks[origin] -= 1
            if not self._networks[origin]:
                del self._networks[origin]

    def of(self, origin: bytes) -> int:
        return self._networks[origin]

    def oldest_waiting(self, newest: Protocol) -> Protocol:
        """Return the oldest connection that has no request in work, else the newest one."""
        waiting = (each for each in self._connections if each.is_waiting)
        return next(waiting, newest)


class TimeoutWorker(gasgi.ASGIWorker):  # type: ignore[misc]
    """Serve with Protocol; the kernel closes connections of clients that read no answer."""

    def init_process(self) -> None:
        self.held = Held()
        self.headers = [(key.decode(), value.decode()) for key, value in security_headers()]
        # gunicorn has no settings for its protocol class and its header "Server: gunicorn/asgi".
        gasgi.ASGIProtocol = Protocol
        protocol._CACHED_SERVER_HEADER = b""
        for listener in self.sockets:
            _bound_writing(listener.sock)
        super().init_process()

    def run(self) -> None:
        # gunicorn leaves the backlog to uvloop, which listens anew with 100: further connections
        # waited for a second, until the client sent its SYN again.
        listening = functools.partial(self.loop.create_server, backlog=self.cfg.backlog)
        self.loop.create_server = listening
        super().run()


def _count(reason: str) -> None:
    from leadgen.processes.metrics import CONNECTIONS_REFUSED  # reads the folder when imported

    CONNECTIONS_REFUSED.labels(reason).inc()


def _bound_writing(listener: socket.socket) -> None:
    """Set TCP_USER_TIMEOUT, which each accepted connection inherits (Linux only)."""
    if listener.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
        milliseconds = ACKNOWLEDGE_SECONDS * 1000
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
