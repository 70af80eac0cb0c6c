"""Visitors who post without pause and write down what they were told."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import urlsplit
from uuid import uuid4

REQUESTS_PER_CONNECTION = 10


@dataclass
class Load:
    """Posts to one form from several threads; ``receipts`` are those that were promised."""

    url: str
    public_id: str
    receipts: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    broken: int = 0
    answered_at: list[float] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def longest_gap(self) -> float:
        """The longest time, in seconds, in which nobody was given a receipt."""
        times = sorted(self.answered_at)
        return max(later - earlier for earlier, later in pairwise(times))

    def until(self, receipts: int, seconds: float = 30) -> None:
        """Go on until so many more receipts were given."""
        goal, deadline = len(self.receipts) + receipts, time.monotonic() + seconds
        while len(self.receipts) < goal:
            assert time.monotonic() < deadline, (self.statuses, self.broken)
            time.sleep(0.02)

    def visit(self) -> None:
        while not self.stopped.is_set():
            connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=20)
            try:
                for _ in range(REQUESTS_PER_CONNECTION):
                    self._post(connection)
            except (OSError, http.client.HTTPException):
                self.broken += 1
                time.sleep(0.05)
            finally:
                connection.close()

    def _post(self, connection: http.client.HTTPConnection) -> None:
        key = str(uuid4())
        fields = {"name": "Ada", "email": f"{key}@example.com"}
        connection.request(
            "POST",
            f"/api/v1/public/forms/{self.public_id}/submissions",
            json.dumps({"fields": fields}),
            {"Content-Type": "application/json", "Idempotency-Key": key},
        )
        answer = connection.getresponse()
        body = json.loads(answer.read())
        self.statuses[answer.status] += 1
        if answer.status in (201, 202):
            self.receipts.append(body["receipt"])
            self.answered_at.append(time.monotonic())
        elif not answer.getheader("Retry-After"):
            self.without_retry_after += 1
        time.sleep(0.02)


@contextmanager
def loading(url: str, public_id: str, visitors: int = 8) -> Iterator[Load]:
    """Post until left; every thread has ended then."""
    load = Load(url, public_id)
    threads = [threading.Thread(target=load.visit, daemon=True) for _ in range(visitors)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stopped.set()
        for thread in threads:
            thread.join(30)
