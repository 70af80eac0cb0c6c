"""gunicorn's ASGI worker, which gives up on clients that only hold a connection."""

import socket
from asyncio import Transport

from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers import gasgi

# To send the headers of the first request; gunicorn itself waits for them for ever.
HEADER_SECONDS = 10.0
# To take the next piece of an answer.
TAKE_SECONDS = 20


class Protocol(ASGIProtocol):  # type: ignore[misc]  # gunicorn has no types
    """A connection that must say in time what it wants."""

    def connection_made(self, transport: Transport) -> None:
        super().connection_made(transport)
        if self.worker.nr_conns > self.cfg.worker_connections:
            transport.abort()
            return
        # gunicorn's timer for the time between two requests: a request that is there stops it.
        self._keepalive_handle = self.worker.loop.call_later(
            HEADER_SECONDS, self._keepalive_timeout
        )


class Worker(gasgi.ASGIWorker):  # type: ignore[misc]
    """Serves with Protocol, and lets the kernel drop who does not take an answer."""

    def init_process(self) -> None:
        gasgi.ASGIProtocol = Protocol  # made by this name; there is no other way in
        for listener in self.sockets:
            _bound_writing(listener.sock)
        super().init_process()


def _bound_writing(listener: socket.socket) -> None:
    """Set what every connection of this listener inherits (Linux only)."""
    if listener.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
        milliseconds = TAKE_SECONDS * 1000
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
