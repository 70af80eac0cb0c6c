"""Request bodies that reach Django are limited in bytes, seconds and number."""

import asyncio
import time

import pytest
from django.conf import settings

from leadgen.processes import request_limits
from leadgen.processes.request_limits import RequestLimits
from tests.factories import make_user

CHUNK = b"a" * 1024


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Refuse without reading on: what was not read is counted here."""
    monkeypatch.setattr(request_limits, "LINGER_SECONDS", 0)


async def swallow(scope, receive, send):
    """Read a body as Django's handler does: all of it first, nothing once the client has left."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


class Client:
    """Sends bodies to one Bounded; ``unread`` are the pieces that were not taken."""

    def __init__(self, app=swallow):
        self.bounded = RequestLimits(app)

    async def send(self, pieces, pause=0.0, headers=(), address="203.0.113.9"):
        waiting, sent = list(pieces), []

        async def receive():
            await asyncio.sleep(pause)
            piece = waiting.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "headers": headers, "client": (address, 1)}
        await self.bounded(scope, receive, send)
        self.headers = dict(sent[0]["headers"])
        return sent[0]["status"], sent[1]["body"].decode(), len(waiting)


@pytest.fixture
def ask():
    """Return status and text of the answer, and how many pieces were not read."""
    return lambda *args, **options: asyncio.run(Client().send(*args, **options))


def length(size):
    return [(b"content-length", str(size).encode())]


def cookie(key):
    return [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={key}".encode())]


def test_body_within_the_limit_arrives_completely(ask):
    assert ask([b"a" * 400, b"a" * 600]) == (200, "1000", 0)


@pytest.mark.parametrize("size", [request_limits.ANONYMOUS_BYTES + 1, 33_000_000, "9" * 4400])
def test_declared_body_beyond_the_limit_is_not_read(ask, size):
    status, text, unread = ask([CHUNK], headers=length(size))
    assert (status, unread) == (413, 1)
    assert "262,144 bytes" in text


def test_chunked_body_beyond_the_limit_is_cut_off(ask):
    status, _, unread = ask([CHUNK] * 1000)
    assert (status, unread) == (413, 1000 - 257)


def test_forged_session_cookie_buys_no_bytes(ask, db):
    assert ask([CHUNK], headers=length(300_000) + cookie("x" * 32))[0] == 413


def test_slow_body_is_aborted(ask, monkeypatch):
    monkeypatch.setattr(request_limits, "SECONDS", 0.1)
    status, text, unread = ask([b"a"] * 100, pause=0.02)
    assert status == 408
    assert "in time" in text
    assert unread > 80


def test_large_body_on_a_slow_line_gets_more_time(ask, monkeypatch):
    monkeypatch.setattr(request_limits, "SECONDS", 0.1)
    monkeypatch.setattr(request_limits, "BYTES_PER_SECOND", 1000)
    assert ask([b"a" * 100] * 10, pause=0.05)[0] == 200


def test_no_body_gets_more_time_than_the_maximum(ask, monkeypatch):
    monkeypatch.setattr(request_limits, "MAX_SECONDS", 0.2)
    started = time.monotonic()
    assert ask([CHUNK] * 200, pause=0.02)[0] == 408
    assert time.monotonic() - started < 2


@pytest.mark.django_db(transaction=True)
def test_logged_in_person_may_send_a_long_form(client):
    client.force_login(make_user())
    headers = cookie(client.session.session_key)
    size = request_limits.MAX_BYTES

    async def send():
        sender = Client()
        long = await sender.send([CHUNK] * (size // 1024), headers=headers)
        declared = await sender.send([b"a" * size], headers=headers + length(size))
        longer = await sender.send([CHUNK] * (size // 1024 + 1), headers=headers)
        return [answer[:2] for answer in (long, declared, longer)]

    long, declared, longer = asyncio.run(send())
    assert long == declared == (200, str(size))
    assert longer[0] == 413


@pytest.mark.django_db(transaction=True)
def test_session_of_a_person_switched_off_buys_no_bytes(ask, client):
    user = make_user()
    client.force_login(user)
    user.is_active = False
    user.save()
    headers = cookie(client.session.session_key) + length(300_000)
    assert ask([CHUNK], headers=headers)[0] == 413


def in_flight(count, pieces, address):
    """Hold so many bodies, each of these pieces and unfinished, then send one more; its answer."""

    async def run():
        sender, held = Client(), asyncio.Event()
        sent = []

        async def hold(number):
            waiting = list(pieces)

            async def receive():
                if not waiting:
                    await held.wait()
                    return {"type": "http.disconnect"}
                return {"type": "http.request", "body": waiting.pop(0), "more_body": True}

            async def send(message):
                sent.append(message)

            scope = {"type": "http", "headers": [], "client": (address(number), 1)}
            await sender.bounded(scope, receive, send)

        holders = [asyncio.create_task(hold(number)) for number in range(count)]
        await asyncio.sleep(0)
        large = await sender.send([CHUNK] * 20, address="198.51.100.1")
        headers = sender.headers
        small = await sender.send([CHUNK], address="198.51.100.1")
        held.set()
        await asyncio.gather(*holders)
        after = await sender.send([CHUNK] * 20, address="198.51.100.1")
        return large[0], headers, small[0], after[0]

    return asyncio.run(run())


def test_bodies_in_flight_are_limited_for_the_process():
    large, headers, small, after = in_flight(
        request_limits.SLOTS, [CHUNK] * 20, lambda number: f"203.0.113.{number}"
    )
    assert (large, small, after) == (429, 200, 200)
    assert headers[b"retry-after"] == b"5"


def test_bodies_in_flight_are_limited_for_an_address():
    same = in_flight(request_limits.SLOTS_PER_NETWORK, [CHUNK] * 20, lambda _: "198.51.100.1")
    other = in_flight(request_limits.SLOTS_PER_NETWORK, [CHUNK] * 20, lambda _: "203.0.113.1")
    assert (same[0], other[0]) == (429, 200)


def test_small_bodies_need_no_slot():
    large, _, small, _ = in_flight(
        request_limits.SLOTS * 2, [CHUNK] * 15, lambda n: f"203.0.113.{n}"
    )
    assert (large, small) == (200, 200)
