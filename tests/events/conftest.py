import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from leadgen.accounts.models import Team
from leadgen.events.models import Event
from leadgen.events.services import emit


class Writer:  # a transaction on a connection of its own, open until it is told to commit
    def __init__(self, executor: ThreadPoolExecutor, team: Team, events: int = 1) -> None:
        self._written = threading.Event()
        self._may_commit = threading.Event()
        self._ended: Future[None] = executor.submit(self._write, team, events)
        assert self._written.wait(10)

    def commit(self) -> None:
        self._may_commit.set()
        self._ended.result(10)

    def _write(self, team: Team, events: int) -> None:
        try:
            with transaction.atomic():
                for _ in range(events):
                    emit("team.added", team)
                self._written.set()
                assert self._may_commit.wait(20)
        finally:
            connection.close()


def settle() -> None:
    # Other transactions of this database, such as those of autovacuum, hold events up too.
    deadline = time.monotonic() + 30
    while Event.objects.settled().count() < Event.objects.count():
        assert time.monotonic() < deadline, "some transaction in this PostgreSQL stays open"


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as executor:
        yield executor


@pytest.fixture
def shuffled():
    def shuffle(items):
        return random.sample(items, len(items))

    return shuffle
