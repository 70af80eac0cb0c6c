"""Fallback scheduler: run scheduled tasks in the worker when none has arrived for 10 s.

Broker or beat is unavailable then. Only tasks that opt in run here (leadgen.processes.schedule),
and only those of the queues that this worker consumes.
"""

import logging
import os
import threading
import time
from collections.abc import Collection, Iterable
from multiprocessing import Value
from typing import Any

from celery import Celery, bootsteps, signals
from celery.concurrency.thread import TaskPool
from django.db import connections

from leadgen.processes.metrics import STANDBY_RUNS
from leadgen.processes.schedule import TASKS, ScheduledTask

logger = logging.getLogger(__name__)

TIMEOUT = 10.0


class FallbackScheduler:
    """Thread in each process of the worker's pool; the processes share the time of the last task.

    After ``timeout`` seconds without a task one process runs what beat would have sent.
    """

    def __init__(
        self, app: Celery, tasks: Iterable[ScheduledTask], *, timeout: float = TIMEOUT
    ) -> None:
        self._app = app
        self._tasks = [task for task in tasks if task.fallback]
        self._timeout = timeout
        # Shared with the processes that are forked from this one; monotonic time is the machine's.
        self._received_at = Value("d", time.monotonic(), lock=False)

    def record_task(self, **_: object) -> None:
        """Record that a task has arrived."""
        self._received_at.value = time.monotonic()

    def start(self, **_: object) -> None:
        """Watch in a background thread for as long as this process and its parent live."""
        threading.Thread(target=self._watch, name="fallback", daemon=True).start()

    def is_quiet(self) -> bool:
        """Tell whether no process of this worker has received a task for too long."""
        return bool(time.monotonic() - self._received_at.value > self._timeout)

    def run_all(self) -> None:
        """Run each task that opts in and whose queue this worker consumes, once."""
        STANDBY_RUNS.inc()
        logger.warning(
            "no task received for %g s (broker or beat unavailable), running scheduled tasks"
            " locally",
            self._timeout,
        )
        for task in self._tasks:
            if task.queue in self._queues():
                self.record_task()  # the other processes need not run them as well
                self._run(task.task)

    def _queues(self) -> Collection[str]:
        return self._app.amqp.queues.consume_from

    def _watch(self) -> None:
        parent = os.getppid()
        while os.getppid() == parent:
            time.sleep(self._timeout / 4)
            if self.is_quiet():
                self.run_all()

    def _run(self, name: str) -> None:
        try:
            self._app.tasks[name]()
        except Exception as error:
            logger.warning("scheduled task %s failed: %s", name, type(error).__name__)
        finally:
            # Each process of every worker would keep a connection after an outage otherwise.
            connections.close_all()


def install(app: Celery) -> None:
    """Start a fallback scheduler in every worker of this application."""
    scheduler = FallbackScheduler(app, TASKS.values())

    class FallbackStep(bootsteps.StartStopStep):
        """Start it in a pool of threads, which forks no process and sends no worker_process_init.

        A step of the worker, not of its consumer: a consumer starts only once the broker answers.
        """

        requires = ("celery.worker.components:Pool",)

        def start(self, parent: Any) -> None:
            if isinstance(parent.pool, TaskPool):
                scheduler.start()

    app.steps["worker"].add(FallbackStep)
    signals.task_prerun.connect(scheduler.record_task, weak=False)
    signals.worker_process_init.connect(scheduler.start, weak=False)
