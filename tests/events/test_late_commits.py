import threading

import pytest
from django.db import Error, connection, transaction

from leadgen.events import consumers
from leadgen.events.consumers import consume
from leadgen.events.models import Event
from leadgen.events.services import emit
from tests.events.conftest import Writer, settle
from tests.factories import make_team
from tests.flows.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


class Reader:
    def __init__(self):
        self.seen: list[int] = []

    def read(self) -> int:
        return consume("reader", {"team.added": lambda event: self.seen.append(event.pk)})

    def read_until(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                self.read()
            settle()
            while self.read():
                pass
        finally:
            connection.close()


def ids_in_order():
    return list(Event.objects.order_by("transaction", "id").values_list("id", flat=True))


def test_event_of_an_older_transaction_is_not_skipped(executor):
    team, reader = make_team(), Reader()
    early = Writer(executor, team)
    late = Writer(executor, team)
    late.commit()
    while reader.read():
        pass
    early.commit()
    settle()
    reader.read()
    assert reader.seen == ids_in_order()
    assert len(reader.seen) == 2


def test_an_event_waits_until_every_older_transaction_has_ended(executor):
    team, reader = make_team(), Reader()
    early = Writer(executor, team)
    Writer(executor, team).commit()
    reader.read()
    assert reader.seen == []
    early.commit()
    settle()
    reader.read()
    assert len(reader.seen) == 2


def test_rolled_back_event_is_not_read_and_blocks_nothing(executor):
    team, reader = make_team(), Reader()
    with transaction.atomic():
        emit("team.added", team)
        transaction.set_rollback(True)
    Writer(executor, team).commit()
    settle()
    reader.read()
    assert reader.seen == ids_in_order()
    assert len(reader.seen) == 1


def test_concurrent_readers_see_every_event_once_in_order(executor, shuffled):
    team, reader, stop = make_team(), Reader(), threading.Event()
    readers = [executor.submit(reader.read_until, stop) for _ in range(2)]
    for _ in range(10):
        writers = [Writer(executor, team, events=3) for _ in range(8)]
        for writer in shuffled(writers):
            writer.commit()
    stop.set()
    for future in readers:
        future.result(20)
    assert len(reader.seen) == 10 * 8 * 3
    assert reader.seen == ids_in_order()


def test_slow_consumer_delays_no_other(executor):
    team, reader = make_team(), Reader()
    emit("team.added", team)
    settle()
    reading, go_on = threading.Event(), threading.Event()

    def slow(event):
        reading.set()
        assert go_on.wait(60)

    def read_slowly():
        try:
            return consume("slow", {"team.added": slow})
        finally:
            connection.close()

    running = executor.submit(read_slowly)
    assert reading.wait(10)
    emit("team.added", team)
    settle()
    reader.read()
    assert not running.done()
    go_on.set()
    running.result(10)
    assert reader.seen == ids_in_order()


def test_a_consumer_has_one_reader_at_a_time(executor):
    team, reader = make_team(), Reader()
    emit("team.added", team)
    settle()

    def read_elsewhere(event):
        assert executor.submit(read_once).result(10) == 0
        reader.seen.append(event.pk)

    def read_once():
        try:
            return reader.read()
        finally:
            connection.close()

    assert consume("reader", {"team.added": read_elsewhere}) == 1
    assert len(reader.seen) == 1


def test_stalled_consumer_is_replaced_after_the_timeout(executor, monkeypatch):
    monkeypatch.setattr(consumers, "SILENCE", "200ms")
    team, reader = make_team(), Reader()
    emit("team.added", team)
    settle()
    asleep, go_on = threading.Event(), threading.Event()

    def sleep(event):
        asleep.set()
        assert go_on.wait(60)

    def fall_silent():
        try:
            consume("reader", {"team.added": sleep})
        finally:
            connection.close()

    silent = executor.submit(fall_silent)
    assert asleep.wait(10)
    eventually(lambda: reader.read() == 1, seconds=30)
    go_on.set()
    with pytest.raises(Error):
        silent.result(10)
    assert reader.seen == ids_in_order()
