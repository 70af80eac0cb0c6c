"""TCP proxy that delays what clients send, as a network with a longer round trip does.

``python -m tests.benchmarks.latency_proxy HOST PORT SECONDS`` prints the port that it listens on.
"""

import asyncio
import sys

Writer = asyncio.StreamWriter
_CHUNK = 1 << 18


async def main(host: str, port: int, delay: float) -> None:
    """Serve until the process is stopped; answers are passed on at once."""

    async def accept(reader: asyncio.StreamReader, writer: Writer) -> None:
        server_reader, server_writer = await asyncio.open_connection(host, port)
        sending = asyncio.create_task(_delay(reader, server_writer, delay))
        await _pass_on(server_reader, writer)
        sending.cancel()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


async def _delay(reader: asyncio.StreamReader, writer: Writer, delay: float) -> None:
    """Pass each piece on ``delay`` after its arrival: pieces of one statement wait together."""
    loop, pieces = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]]()

    async def read() -> None:
        while data := await reader.read(_CHUNK):
            pieces.put_nowait((loop.time() + delay, data))
        pieces.put_nowait((loop.time(), b""))

    reading = asyncio.create_task(read())
    while (piece := await pieces.get())[1]:
        await asyncio.sleep(max(0, piece[0] - loop.time()))
        writer.write(piece[1])
        await writer.drain()
    await reading
    writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: Writer) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
