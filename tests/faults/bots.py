"""Bots that send one form from one address without end."""

import asyncio
import os
import re
from collections import Counter
from math import inf
from urllib.parse import urlencode, urlsplit

BOTS = 32
ADDRESS = "127.0.0.99"
NAME = "Bot"
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


def flood(url: str, slug: str, seconds: float, rate: float = inf) -> Counter[int]:
    """Fill in every field, the one that nobody sees too; return how often each status came.

    ``rate`` is in posts per second of all bots together; at most as fast as they are answered.
    """
    # On a machine of their own they would take nothing from the server's processor.
    os.nice(5)
    told: Counter[int] = Counter()

    async def run() -> None:
        bots = [_bot(url, slug, number, BOTS / rate, told) for number in range(BOTS)]
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*bots)
        except TimeoutError:
            pass

    asyncio.run(run())
    return told


async def _bot(url: str, slug: str, number: int, pause: float, told: Counter[int]) -> None:
    address, sent = urlsplit(url), 0
    reader, writer = await asyncio.open_connection(
        address.hostname, address.port, local_addr=(ADDRESS, 0)
    )
    while True:
        sent += 1
        writer.write(_post(slug, f"bot-{number}-{sent}@example.com"))
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        await reader.readexactly(int(length[1]) if length else 0)
        told[int(head[9:12])] += 1
        await asyncio.sleep(pause)


def _post(slug: str, email: str) -> bytes:
    body = urlencode({"name": NAME, "email": email, "_url": "https://spam.example.com"})
    lines = (
        f"POST /f/{slug} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    )
    return ("\r\n".join((*lines, "", body))).encode()


def refuse_all(port: int, seconds: float) -> None:
    """Be a server that refuses whatever comes, for so long."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            writer.write(b"HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", port):
            await asyncio.sleep(seconds)

    asyncio.run(run())
