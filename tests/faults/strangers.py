"""Strangers who use up memory and connections: silent connections, log-ins, large slow bodies."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode, urlsplit

LOGIN = "/login"
HOST = "Host: localhost"
_TOKEN = re.compile(rb'csrfmiddlewaretoken" value="(\w+)"')
_COOKIE = re.compile(rb"set-cookie: csrftoken=(\w+)", re.IGNORECASE)
UPLOAD = 30_000_000


@dataclass
class Strangers:
    """What strangers do to one server, and what they are answered, by kind and status."""

    url: str
    seconds: float
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    held: int = 0
    _numbers: Iterator[int] = field(default_factory=count)

    def attack(self, connections: int, logins: int, uploads: int) -> None:
        """Do all of it at once for so many seconds; each comes from an address of its own."""
        asyncio.run(self._attack(connections, logins, uploads))

    async def _attack(self, connections: int, logins: int, uploads: int) -> None:
        addresses = _addresses()
        work: list[Coroutine[Any, Any, None]] = [
            *(self._again(self._hold, next(addresses)) for _ in range(connections)),
            *(self._again(self._log_in, next(addresses)) for _ in range(logins)),
            *(self._again(self._upload, next(addresses)) for _ in range(uploads)),
        ]
        try:
            async with asyncio.timeout(self.seconds):
                await asyncio.gather(*work)
        except TimeoutError:
            pass

    async def _again(self, act: Any, address: str) -> None:
        while True:
            try:
                await act(address)
            except (OSError, EOFError):
                self.answers[act.__name__, 0] += 1
            await asyncio.sleep(1)

    async def _open(self, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        server = urlsplit(self.url)
        return await asyncio.open_connection(server.hostname, server.port, local_addr=(address, 0))

    async def _hold(self, address: str) -> None:
        """Say nothing until the server hangs up."""
        reader, writer = await self._open(address)
        self.held += 1
        try:
            await reader.read()
        finally:
            self.held -= 1
            writer.close()

    async def _log_in(self, address: str) -> None:
        """Send a wrong password with a valid token.

        Each comes from a network and names an account of its own: no limit spares the server.
        """
        number = next(self._numbers)
        address = f"127.{number // 254 + 1}.{number % 254 + 1}.1"
        reader, writer = await self._open(address)
        try:
            writer.write(_head("GET", LOGIN, "Connection: close"))
            page = await reader.read()
        finally:
            writer.close()
        token, cookie = _TOKEN.search(page), _COOKIE.search(page)
        if not (token and cookie):
            self.answers["_log_in", int(page[9:12] or 0)] += 1
            return
        email = f"stranger-{number}@example.com"
        fields = {"csrfmiddlewaretoken": token[1], "login": email, "password": "no"}
        body = urlencode(fields)
        kind = "Content-Type: application/x-www-form-urlencoded"
        lines = (kind, f"Content-Length: {len(body)}", f"Cookie: csrftoken={cookie[1].decode()}")
        reader, writer = await self._open(address)
        try:
            writer.write(_head("POST", LOGIN, "Connection: close", *lines) + body.encode())
            self.answers["_log_in", int((await reader.read())[9:12] or 0)] += 1
        finally:
            writer.close()

    async def _upload(self, address: str) -> None:
        """Send 30 MB as fast as they are taken, then nothing more, one byte short of the end."""
        reader, writer = await self._open(address)
        reading = asyncio.create_task(reader.read())
        try:
            writer.write(_head("POST", LOGIN, f"Content-Length: {UPLOAD + 1}"))
            for _ in range(UPLOAD // 65536):
                if reading.done():
                    break
                writer.write(bytes(65536))
                await writer.drain()
            self.answers["_upload", int((await reading)[9:12] or 0)] += 1
        finally:
            reading.cancel()
            writer.close()


def _addresses() -> Iterator[str]:
    return (f"127.0.0.{number % 254 + 1}" for number in count())


def _head(method: str, path: str, *lines: str) -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", HOST, *lines, "", "")).encode()


def attack(url: str, seconds: float, connections: int, logins: int, uploads: int) -> dict[str, int]:
    """Run in a process of its own; return how often each answer came."""
    started = time.monotonic()
    strangers = Strangers(url, seconds)
    strangers.attack(connections, logins, uploads)
    assert time.monotonic() - started < seconds + 30
    return {f"{kind[1:]} {status}": n for (kind, status), n in strangers.answers.items()}
