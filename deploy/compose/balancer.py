"""TCP load balancer in front of the web containers of a Compose deployment.

Compose stops a container before it starts the new one, and a published port belongs to one
container. The balancer owns the port instead: it connects each client to a web container that
accepts, and keeps clients waiting while none does. Standard library only, so that its image stays
the same when Leadgen's changes.
"""

import asyncio
import random
import signal
from contextlib import suppress
from functools import partial
from typing import cast

PORT = 8000
TARGET = ("web", 8000)
# A web container that is replaced is away for 6 to 9 s on two processors.
WAIT_SECONDS = 25.0
RETRY_SECONDS = 0.1
CONNECT_SECONDS = 3.0
REFRESH_SECONDS = 1.0
# Each waiting client costs some kilobytes; beyond this number clients are answered 503 at once.
MAX_WAITING = 1000
# Below stop_grace_period in docker-compose.yml, above web's own time for requests in flight.
DRAIN_SECONDS = 27.0
HEALTH = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)


Address = tuple[str, int]


class Relay(asyncio.Protocol):
    """One of the two connections of a client; copies what arrives to the other one."""

    def __init__(self, peer: asyncio.Transport | None = None) -> None:
        self.peer = peer
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.peer:
            self.peer.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.peer:
            self.peer.close()

    def pause_writing(self) -> None:
        if self.peer:
            self.peer.pause_reading()

    def resume_writing(self) -> None:
        if self.peer:
            self.peer.resume_reading()


class Client(Relay):
    """A client's connection, which is not read before a web container has accepted."""

    def __init__(self, balancer: "Balancer") -> None:
        super().__init__()
        self._balancer = balancer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        self._balancer.accept(self)

    def eof_received(self) -> bool:
        """Pass a half-close on and stay open: the answer may still come."""
        if self.peer and not self.peer.is_closing():
            self.peer.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._balancer.clients.discard(self)


class Backends:
    """Web containers by address; one is ready from its first healthy answer on.

    gunicorn opens its port before its workers can answer, so a port that accepts is not enough. A
    slow answer later on takes no container out: under overload there would be none left.
    """

    def __init__(self, target: tuple[str, int] = TARGET) -> None:
        self.ready: list[Address] = []
        self._target = target

    async def watch(self) -> None:
        """Look for containers that came or went, once a second."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_SECONDS)

    async def refresh(self) -> None:
        """Ask Docker's DNS for the containers and each of them for its health."""
        known, found = set(self.ready), await self._resolve()
        checks = [_accepts(each) if each in known else _is_healthy(each) for each in found]
        healthy = await asyncio.gather(*checks)
        self.ready = [each for each, good in zip(found, healthy, strict=True) if good]

    def forget(self, address: Address) -> None:
        """Take out a container that refuses connections until it is healthy again."""
        if address in self.ready:
            self.ready.remove(address)

    def shuffled(self) -> list[Address]:
        """Return the ready containers in random order."""
        return random.sample(self.ready, len(self.ready))

    async def _resolve(self) -> list[Address]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(*self._target, type=1)
        except OSError:
            return []
        return [(str(address[0]), int(address[1])) for *_, address in found]


async def _accepts(address: Address) -> bool:
    return bool(await _answer(address, b""))


async def _is_healthy(address: Address) -> bool:
    return b" 200 " in await _answer(address, HEALTH)


async def _answer(address: Address, request: bytes) -> bytes:
    """Return the first line of the answer, or anything for no request; nothing on a fault."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(*address)
            try:
                writer.write(request)
                return await reader.readline() if request else b"accepted"
            finally:
                writer.close()
    except OSError:  # TimeoutError is one
        return b""


class Balancer:
    """Accepts clients and connects each of them to a web container."""

    def __init__(self, backends: Backends) -> None:
        self.clients: set[Client] = set()
        self._backends = backends
        self._tasks: set[asyncio.Task[None]] = set()

    def accept(self, client: Client) -> None:
        """Connect the client in the background; refuse it when too many wait already."""
        self.clients.add(client)
        if len(self._tasks) >= MAX_WAITING:
            refuse(client)
            return
        task = asyncio.create_task(self._connect(client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, timeout: float = DRAIN_SECONDS) -> None:
        """Wait until every client has gone, at most so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self.clients:
                    await asyncio.sleep(RETRY_SECONDS)

    async def _connect(self, client: Client) -> None:
        upstream = await self._upstream(client)
        if upstream is None:
            refuse(client)
        elif client.transport.is_closing():
            upstream.close()
        else:
            client.peer = upstream
            client.transport.resume_reading()

    async def _upstream(self, client: Client) -> asyncio.Transport | None:
        """Return a connection to a web container; None when none accepts in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT_SECONDS):
                while not client.transport.is_closing():
                    for address in self._backends.shuffled():
                        if upstream := await self._try(client, address):
                            return upstream
                    await asyncio.sleep(RETRY_SECONDS)
        return None

    async def _try(self, client: Client, address: Address) -> asyncio.Transport | None:
        loop = asyncio.get_running_loop()
        connecting = loop.create_connection(partial(Relay, client.transport), *address)
        try:
            transport, _ = await asyncio.wait_for(connecting, CONNECT_SECONDS)
        except OSError:  # TimeoutError is one
            self._backends.forget(address)
            return None
        return transport


def refuse(client: Client) -> None:
    """Answer 503 with Retry-After and close."""
    if not client.transport.is_closing():
        client.transport.write(UNAVAILABLE)
        client.transport.close()


async def main() -> None:
    """Serve until SIGTERM, then close the port and drain."""
    loop, stopped, backends = asyncio.get_running_loop(), asyncio.Event(), Backends()
    balancer = Balancer(backends)
    watching = asyncio.create_task(backends.watch())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(lambda: Client(balancer), "0.0.0.0", PORT, backlog=1024)  # noqa: S104
    await stopped.wait()
    server.close()
    await balancer.drain()
    watching.cancel()


if __name__ == "__main__":
    asyncio.run(main())
