from threading import Thread
from types import SimpleNamespace

import pytest
from django.db import connection

from leadgen.processes.worker_fallback import FallbackScheduler
from tests.flows.waiting import eventually


def breaks():
    raise OSError("no database")


@pytest.fixture
def timetable():
    """An application with two tasks, and how often the second was run."""
    runs = []
    tasks = {"breaks": breaks, "works": lambda: runs.append(1)}
    schedule = {name: {"task": name, "schedule": 3.0} for name in tasks}
    conf = SimpleNamespace(beat_schedule=schedule)
    return SimpleNamespace(conf=conf, tasks=tasks, runs=runs)


def test_a_worker_that_hears_nothing_is_silent_until_it_hears_something(timetable):
    standby = FallbackScheduler(timetable, timeout=0.05)
    assert not standby.is_silent()
    eventually(standby.is_silent, seconds=5)
    standby.hear()
    assert not standby.is_silent()


def test_a_silent_worker_works_the_timetable_though_a_task_fails(timetable):
    FallbackScheduler(timetable).work()
    assert len(timetable.runs) == 1


@pytest.mark.django_db(transaction=True)
def test_a_look_leaves_no_connection_open(timetable):
    opened = []

    def works():
        connection.ensure_connection()
        opened.append(connection.connection)

    timetable.tasks["works"] = works
    look = Thread(target=FallbackScheduler(timetable).work)
    look.start()
    look.join()
    assert [link.closed for link in opened] == [True]


def test_one_look_is_enough_for_every_process_of_a_worker(timetable):
    standby = FallbackScheduler(timetable, timeout=0.5)
    eventually(standby.is_silent, seconds=5)
    standby.work()
    assert not standby.is_silent()
