"""What reaches Django is bounded: it would read any body onto its disk, however long it takes."""

import asyncio

import pytest

from leadgen.operations import bounds
from leadgen.operations.bounds import Bounded


async def swallow(scope, receive, send):
    """What Django's handler does with a body: all of it first, nothing once the client has left."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


@pytest.fixture
def ask(monkeypatch):
    """Return status and body of the answer to a body that comes in these pieces."""
    monkeypatch.setattr(bounds, "MOST_BYTES", 1000)
    monkeypatch.setattr(bounds, "SECONDS", 0.1)

    async def exchange(pieces, pause, headers):
        waiting, sent = list(pieces), []

        async def receive():
            await asyncio.sleep(pause)
            piece = waiting.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

        async def send(message):
            sent.append(message)

        await Bounded(swallow)({"type": "http", "headers": headers}, receive, send)
        return sent[0]["status"], sent[1]["body"].decode(), len(waiting)

    return lambda pieces, pause=0, headers=(): asyncio.run(exchange(pieces, pause, headers))


def test_a_body_within_the_bounds_arrives_whole(ask):
    assert ask([b"a" * 400, b"a" * 600]) == (200, "1000", 0)


def test_a_body_that_says_it_is_too_large_is_not_read(ask):
    status, text, unread = ask([b"a" * 2000], headers=[(b"content-length", b"2000")])
    assert (status, unread) == (413, 1)
    assert "at most" in text


def test_a_body_that_grows_too_large_is_cut_off(ask):
    status, _, unread = ask([b"a" * 600] * 10)
    assert (status, unread) == (413, 8)


def test_a_body_that_trickles_is_given_up(ask):
    status, text, unread = ask([b"a"] * 100, pause=0.02)
    assert status == 408
    assert "in time" in text
    assert unread > 80


def test_a_large_body_on_a_slow_line_gets_more_time(ask, monkeypatch):
    monkeypatch.setattr(bounds, "BYTES_PER_SECOND", 1000)
    assert ask([b"a" * 100] * 10, pause=0.05)[0] == 200
