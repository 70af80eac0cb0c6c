"""Visitors who post without pause and write down what they were told."""

import http.client
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, pairwise
from math import ceil
from random import randint
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

REQUESTS_PER_CONNECTION = 10
GIVEN = (200, 201, 202, 303)


@dataclass(frozen=True)
class Answer:
    """What one post was told, when, and after how long; a refusal has no receipt."""

    at: float
    seconds: float
    status: int
    receipt: str
    retry_after: str | None


@dataclass
class Load:
    """Posts to one form from several threads, like a program (API) or a browser (form)."""

    urls: list[str]
    public_id: str
    slug: str
    pause: float = 0.02
    spread: bool = False
    answers: list[Answer] = field(default_factory=list)
    broken: int = 0
    resent: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def receipts(self) -> list[str]:
        """Those that were promised."""
        return [answer.receipt for answer in self.answers if answer.receipt]

    @property
    def statuses(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)

    @property
    def without_retry_after(self) -> int:
        """How many were refused without being told when to come back."""
        return sum(not (answer.receipt or answer.retry_after) for answer in self.answers)

    @property
    def failed(self) -> int:
        """How many got neither a receipt nor an honest 503."""
        return self.broken + sum(answer.status not in (*GIVEN, 503) for answer in self.answers)

    @property
    def longest_gap(self) -> float:
        """The longest time, in seconds, in which nobody was given a receipt."""
        return self.gap(0)

    def gap(self, start: float) -> float:
        """The same since a moment."""
        times = sorted(answer.at for answer in self.answers if answer.receipt)
        return max(later - earlier for earlier, later in pairwise(times) if later > start)

    def p99(self, start: float = 0, end: float = float("inf")) -> float:
        """The time, in seconds, within which 99 % of the receipts of a stretch were given."""
        taken = sorted(
            answer.seconds for answer in self.answers if answer.receipt and start < answer.at < end
        )
        return taken[ceil(len(taken) * 0.99) - 1]

    def figures(self) -> dict[str, object]:
        """What a table of drills shows of this load."""
        told = self.statuses
        return {
            "acked": len(self.receipts),
            **{str(status): told[status] for status in (201, 202, 303, 503)},
            "failed": self.failed,
            "gap s": self.longest_gap,
            "p99 ms": self.p99() * 1000,
        }

    def until(self, receipts: int, seconds: float = 30) -> None:
        """Go on until so many more receipts were given."""
        goal, deadline = len(self.receipts) + receipts, time.monotonic() + seconds
        while len(self.receipts) < goal:
            assert time.monotonic() < deadline, (self.statuses, self.broken)
            time.sleep(0.02)

    def until_stored(self, since: float, seconds: float) -> None:
        """Go on until the ledger itself has taken a post of a program again."""
        deadline = time.monotonic() + seconds
        while not any(answer.status == 201 and answer.at > since for answer in self.answers):
            assert time.monotonic() < deadline, self.statuses
            time.sleep(0.02)

    def go_on(self, seconds: float) -> tuple[float, float]:
        """Go on for so long; return when that began and ended."""
        start = time.monotonic()
        self.stopped.wait(seconds)
        return start, time.monotonic()

    def visit(self, post: Callable[["Visitor"], Answer]) -> None:
        """Be one visitor after the other until the end."""
        visitor, due = Visitor(self), time.monotonic()
        while not self.stopped.is_set():
            try:
                self.answers.append(post(visitor))
            except (OSError, http.client.HTTPException):
                self.broken += 1
                visitor.hang_up()
            due = max(due + self.pause, time.monotonic() - self.pause)
            self.stopped.wait(max(0, due - time.monotonic()))
        visitor.hang_up()


class Visitor:
    """A client that keeps its connection for some requests, as browsers and programs do.

    Like them it connects again when nobody listens, and sends again what a kept connection could
    not take any more. A request that breaks on a fresh connection has failed.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._turn = 0
        self._connection: http.client.HTTPConnection | None = None
        self._requests = 0
        self._token = ""

    def hang_up(self) -> None:
        """Take a new connection next."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def post_to_api(self) -> Answer:
        """Send a new enquiry as a program does."""
        key = str(uuid4())
        body = json.dumps({"fields": {"name": "Ada", "email": f"{key}@example.com"}})
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        path = f"/api/v1/public/forms/{self._load.public_id}/submissions"
        return self._post(path, body, headers, lambda _, text: str(json.loads(text)["receipt"]))

    def post_form(self) -> Answer:
        """Send a new enquiry as a browser does."""
        path = f"/f/{self._load.slug}"
        if not self._token:
            _, page = self._exchange("GET", path, "", {})
            found = re.search(r'name="_token" value="([^"]+)"', page)
            self._token = found[1] if found else ""
        fields = {"_token": self._token, "name": "Ada", "email": f"{uuid4()}@example.com"}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._post(path, urlencode(fields), headers, _receipt_of_thanks)

    def _post(
        self,
        path: str,
        body: str,
        headers: dict[str, str],
        receipt: Callable[[http.client.HTTPResponse, str], str],
    ) -> Answer:
        started = time.monotonic()
        answer, text = self._exchange("POST", path, body, headers)
        now = time.monotonic()
        given = receipt(answer, text) if answer.status in GIVEN else ""
        retry_after = answer.getheader("Retry-After")
        return Answer(now, now - started, answer.status, given, retry_after)

    def _exchange(
        self, method: str, path: str, body: str, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, str]:
        if self._connection and self._requests < REQUESTS_PER_CONNECTION:
            try:
                return self._send(self._connection, method, path, body, headers)
            except (ConnectionError, http.client.RemoteDisconnected):
                self._load.resent += 1
        self.hang_up()
        self._connection, self._requests = self._connect(), 0
        return self._send(self._connection, method, path, body, headers)

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: str,
        headers: dict[str, str],
    ) -> tuple[http.client.HTTPResponse, str]:
        self._requests += 1
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read().decode()

    def _connect(self) -> http.client.HTTPConnection:
        while True:
            self._turn += 1
            url = self._load.urls[self._turn % len(self._load.urls)]
            source = (_somewhere(), 0) if self._load.spread else None
            connection = http.client.HTTPConnection(
                urlsplit(url).netloc, timeout=20, source_address=source
            )
            try:
                connection.connect()
            except ConnectionRefusedError:
                if self._load.stopped.wait(0.02):
                    raise
            else:
                return connection


def _somewhere() -> str:
    """One of the addresses that Linux takes for its own, none of those that others use here."""
    return f"127.{randint(1, 254)}.{randint(0, 254)}.{randint(1, 254)}"


def _receipt_of_thanks(answer: http.client.HTTPResponse, _text: str) -> str:
    return parse_qs(urlsplit(answer.headers["Location"]).query)["receipt"][0]


@contextmanager
def loading(
    urls: str | list[str],
    public_id: str,
    slug: str = "",
    *,
    visitors: int = 8,
    rate: float = 0,
    spread: bool = False,
) -> Iterator[Load]:
    """Post until left, in half of the cases as a browser if there is a slug; every thread ends.

    ``rate`` is in posts per second of all visitors together; 0 leaves the usual short pauses.
    ``spread`` lets each connection come from an address of its own.
    """
    pause = visitors / rate if rate else 0.02
    load = Load([urls] if isinstance(urls, str) else urls, public_id, slug, pause, spread)
    ways = cycle([Visitor.post_to_api, Visitor.post_form] if slug else [Visitor.post_to_api])
    threads = [
        threading.Thread(target=load.visit, args=[way], daemon=True)
        for _, way in zip(range(visitors), ways, strict=False)
    ]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stopped.set()
        for thread in threads:
            thread.join(30)
