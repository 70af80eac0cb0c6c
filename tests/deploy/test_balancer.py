import asyncio
import runpy
from types import SimpleNamespace

import pytest

from dev.ports import any_free
from tests.deploy.compose import ROOT

NAMES = runpy.run_path(str(ROOT / "deploy/compose/balancer.py"))
balancer = SimpleNamespace(**NAMES)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Web:
    """A web container: answers every request line, in its own good time."""

    def __init__(self, port, answer=OK):
        self.port, self.answer, self.requests = port, answer, []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        while line := await reader.readline():
            self.requests.append(line)
            while (await reader.readline()).strip():
                pass
            if self.answer:
                writer.write(self.answer)
            if line.startswith(b"GET /last"):
                break
        writer.close()


class Front:
    """The balancer on a port of its own, its view of the containers refreshed by hand."""

    def __init__(self, target):
        self.backends = balancer.Backends(("127.0.0.1", target))
        self.balancer = balancer.Balancer(self.backends)

    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        make = lambda: balancer.Client(self.balancer)  # noqa: E731
        self._server = await loop.create_server(make, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        await self.backends.refresh()
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def ask(self, path="/", size=None):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {path} HTTP/1.1\r\n\r\n".encode())
        try:
            return await (reader.read(size) if size else reader.readuntil(b"\r\n\r\n"))
        finally:
            writer.close()


def run(scenario):
    async def until_all_is_closed():
        await asyncio.wait_for(scenario, 20)
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=5)
        for _ in range(5):  # transports close in the next rounds of the loop
            await asyncio.sleep(0)

    asyncio.run(until_all_is_closed())


@pytest.fixture
def limit(monkeypatch):
    """Sets a constant of the script, which runs without being imported."""

    def put(name, value):
        monkeypatch.setitem(balancer.Balancer.accept.__globals__, name, value)

    return put


def test_request_and_answer_pass_unchanged():
    async def scenario():
        async with Web(any_free()) as web, Front(web.port) as front:
            assert await front.ask("/form", size=100) == OK
            assert web.requests[-1] == b"GET /form HTTP/1.1\r\n"

    run(scenario())


def test_large_answer_reaches_a_slow_client_completely():
    async def scenario():
        body = b"x" * 5_000_000
        async with Web(any_free(), OK + body) as web, Front(web.port) as front:
            reader, writer = await asyncio.open_connection("127.0.0.1", front.port, limit=1024)
            writer.write(b"GET /last HTTP/1.1\r\n\r\n")
            assert len(await reader.read()) == len(OK + body)
            writer.close()

    run(scenario())


def test_client_waits_until_web_is_healthy():
    async def scenario():
        port = any_free()
        async with Front(port) as front:
            asking = asyncio.create_task(front.ask())
            async with Web(port):
                await front.backends.refresh()
                assert b"200 OK" in await asking

    run(scenario())


def test_port_that_accepts_without_answering_is_not_ready(limit):
    limit("CONNECT_SECONDS", 0.2)

    async def scenario():
        async with Web(any_free(), answer=b"") as web, Front(web.port) as front:
            assert front.backends.ready == []
            web.answer = OK
            await front.backends.refresh()
            assert front.backends.ready == [("127.0.0.1", web.port)]
            web.answer = b""  # overloaded: slow, and still the only one there is
            await front.backends.refresh()
            assert front.backends.ready == [("127.0.0.1", web.port)]

    run(scenario())


def test_refusing_container_is_removed_from_the_pool():
    async def scenario():
        async with Web(any_free()) as web, Front(web.port) as front:
            pass
        await front.backends.refresh()
        assert front.backends.ready == []

    run(scenario())


def test_client_that_waited_too_long_is_answered_503(limit):
    limit("WAIT_SECONDS", 0.2)

    async def scenario():
        async with Front(any_free()) as front:
            answer = await front.ask()
            assert b"503 Service Unavailable" in answer
            assert b"Retry-After: 5" in answer

    run(scenario())


def test_client_beyond_the_limit_is_answered_503_at_once(limit):
    limit("MAX_WAITING", 0)

    async def scenario():
        async with Web(any_free()) as web, Front(web.port) as front:
            assert b"503" in await front.ask()

    run(scenario())


@pytest.mark.parametrize("leaver", ["client", "web"])
def test_connection_ends_on_both_sides(leaver):
    async def scenario():
        async with Web(any_free()) as web, Front(web.port) as front:
            await front.ask("/last" if leaver == "web" else "/")
            await front.balancer.drain(timeout=5)
            assert front.balancer.clients == set()

    run(scenario())
