from threading import Thread
from types import SimpleNamespace

import pytest
from django.db import connection

from leadgen.processes.roles import DEFAULT, DELIVERY
from leadgen.processes.schedule import TASKS, ScheduledTask
from leadgen.processes.worker_fallback import FallbackScheduler
from tests.flows.waiting import eventually


def scheduled(name, queue=DEFAULT, fallback=True):
    return ScheduledTask(name, every=3, expires=9, queue=queue, fallback=fallback)


def fails():
    raise OSError("no database")


class Application:
    """An application whose worker consumes one queue, and the tasks that were run."""

    def __init__(self):
        self.runs = []
        self.tasks = {"fails": fails, **{name: self.task(name) for name in ("works", "digest")}}
        self.amqp = SimpleNamespace(queues=SimpleNamespace(consume_from={DEFAULT: None}))

    def task(self, name):
        return lambda: self.runs.append(name)


@pytest.fixture
def app():
    return Application()


def test_worker_is_quiet_until_a_task_arrives(app):
    scheduler = FallbackScheduler(app, [], timeout=0.05)
    assert not scheduler.is_quiet()
    eventually(scheduler.is_quiet, seconds=5)
    scheduler.record_task()
    assert not scheduler.is_quiet()


def test_fallback_runs_the_next_task_after_a_failed_one(app):
    FallbackScheduler(app, [scheduled("fails"), scheduled("works")]).run_all()
    assert app.runs == ["works"]


def test_fallback_never_runs_a_task_that_does_not_opt_in(app):
    FallbackScheduler(app, [scheduled("digest", fallback=False), scheduled("works")]).run_all()
    assert app.runs == ["works"]


def test_scheduled_task_does_not_opt_in_by_default():
    assert not ScheduledTask("digest", every=3600, expires=60, queue=DEFAULT).fallback


def test_fallback_runs_tasks_of_the_workers_own_queues_only(app):
    FallbackScheduler(app, [scheduled("digest", queue=DELIVERY), scheduled("works")]).run_all()
    assert app.runs == ["works"]


def test_tasks_that_find_submissions_and_events_opt_in():
    names = {task.task for task in TASKS.values() if task.fallback}
    assert {"leadgen.leads.tasks.intake", "leadgen.events.tasks.consume"} <= names


@pytest.mark.django_db(transaction=True)
def test_fallback_leaves_no_connection_open(app):
    opened = []

    def works():
        connection.ensure_connection()
        opened.append(connection.connection)

    app.tasks["works"] = works
    run = Thread(target=FallbackScheduler(app, [scheduled("works")]).run_all)
    run.start()
    run.join()
    assert [link.closed for link in opened] == [True]


def test_one_run_is_enough_for_every_process_of_a_worker(app):
    scheduler = FallbackScheduler(app, [scheduled("works")], timeout=0.5)
    eventually(scheduler.is_quiet, seconds=5)
    scheduler.run_all()
    assert not scheduler.is_quiet()
