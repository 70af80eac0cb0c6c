"""Clients that are slow on purpose: they hold connections and send, or take, next to nothing."""

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# How a slow client begins; what follows comes a byte at a time.
OPENINGS: dict[str, Callable[[str], bytes]] = {
    "says nothing": lambda _: b"",
    "headers": lambda path: f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Slow: ".encode(),
    "body": lambda path: _head(path, "Content-Length: 5000"),
    "chunks": lambda path: _head(path, "Transfer-Encoding: chunked") + b"1000\r\n",
    "second headers": lambda path: b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\nGET /h",
}


def _head(path: str, framing: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", framing)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@dataclass
class Slow:
    """Connections held open; ``ended`` are the seconds after which the server closed each."""

    url: str
    ended: list[float] = field(default_factory=list)

    async def hold(self, opening: bytes, seconds: float, pause: float) -> None:
        """Send the opening, then one byte each ``pause`` until the server or the time ends it."""
        started = time.monotonic()
        address = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        beat = asyncio.create_task(_beat(writer, opening, pause))
        try:
            async with asyncio.timeout(seconds):
                while await reader.read(65536):
                    pass
            self.ended.append(time.monotonic() - started)
        except ConnectionError:
            self.ended.append(time.monotonic() - started)
        except TimeoutError:
            pass
        finally:
            beat.cancel()
            writer.close()

    async def never_read(self, path: str, seconds: float) -> None:
        """Ask for a page many times over and take none of it."""
        address = urlsplit(self.url)
        started = time.monotonic()
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(connection, (address.hostname, address.port))
            request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
            try:
                async with asyncio.timeout(seconds):
                    await loop.sock_sendall(connection, request)
                    while True:
                        await asyncio.sleep(0.5)
                        connection.send(b"G")
            except ConnectionError:
                self.ended.append(time.monotonic() - started)
            except TimeoutError:
                pass


async def _beat(writer: asyncio.StreamWriter, opening: bytes, pause: float) -> None:
    writer.write(opening)
    while True:
        await asyncio.sleep(pause)
        writer.write(b"a")


def attack(url: str, openings: list[bytes], seconds: float, pause: float = 1.0) -> Slow:
    """Hold one connection for each opening, all at once, for at most so many seconds."""
    slow = Slow(url)

    async def run() -> None:
        await asyncio.gather(*(slow.hold(opening, seconds, pause) for opening in openings))

    asyncio.run(run())
    return slow


def never_reading(url: str, path: str, clients: int, seconds: float) -> Slow:
    """Ask so many times at once for a page that nobody takes, for at most so many seconds."""
    slow = Slow(url)

    async def run() -> None:
        await asyncio.gather(*(slow.never_read(path, seconds) for _ in range(clients)))

    asyncio.run(run())
    return slow
