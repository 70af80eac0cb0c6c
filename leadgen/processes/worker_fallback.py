"""A worker that hears nothing works the timetable by itself: the broker or beat is away."""

import logging
import os
import threading
import time
from multiprocessing import Value

from celery import Celery, signals
from django.db import connections

from leadgen.lib.telemetry.metrics import STANDBY_RUNS

logger = logging.getLogger(__name__)

TIMEOUT = 10.0


class FallbackScheduler:
    """A thread in each process of the worker's pool; together they are quiet while hints come.

    After ``timeout`` seconds without a task one of them runs what beat would have sent. Every task
    of the timetable is a look at the database, so it does no harm to run it twice or at once.
    """

    def __init__(self, app: Celery, *, timeout: float = TIMEOUT) -> None:
        self._app = app
        self._timeout = timeout
        # Shared with the processes that are forked from this one; monotonic time is the machine's.
        self._heard = Value("d", time.monotonic(), lock=False)

    def hear(self, **_: object) -> None:
        """Note that a task has come."""
        self._heard.value = time.monotonic()

    def start(self, **_: object) -> None:
        """Watch in the background for as long as this process and its parent live."""
        threading.Thread(target=self._watch, name="standby", daemon=True).start()

    def is_silent(self) -> bool:
        """Whether no process of this worker has had a task for too long."""
        return bool(time.monotonic() - self._heard.value > self._timeout)

    def work(self) -> None:
        """Run every task of the timetable once."""
        STANDBY_RUNS.inc()
        logger.warning("no hint came: broker or beat is away, looking for work without them")
        for entry in self._app.conf.beat_schedule.values():
            self.hear()  # the others need not look as well
            self._run(entry["task"])

    def _watch(self) -> None:
        parent = os.getppid()
        while os.getppid() == parent:
            time.sleep(self._timeout / 4)
            if self.is_silent():
                self.work()

    def _run(self, name: str) -> None:
        try:
            self._app.tasks[name]()
        except Exception as error:
            logger.warning("%s failed: %s", name, type(error).__name__)
        finally:
            # Each process of every worker would else keep one, once there was an outage.
            connections.close_all()


def install(app: Celery) -> None:
    """Let every worker of this application stand by."""
    standby = FallbackScheduler(app)
    signals.task_prerun.connect(standby.hear, weak=False)
    signals.worker_process_init.connect(standby.start, weak=False)
