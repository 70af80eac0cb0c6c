"""Heartbeat files of workers and beat, touched by their loops (leadgen.processes.heartbeat)."""

from typing import Any

from celery import Celery, bootsteps
from celery.beat import Scheduler

from leadgen.processes import heartbeat, roles

_INTERVAL = 5.0


class WorkerStep(bootsteps.StartStopStep):
    """Touch the file from the timer of the worker's consumer while that is connected."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None
        self._role = roles.name_of_worker(consumer.app.amqp.queues.consume_from)
        heartbeat.pause(self._role)

    def start(self, consumer: Any) -> None:
        """Begin: the broker is connected and the consumer's loop is about to run."""
        heartbeat.touch(self._role)
        self._timer = consumer.timer.call_repeatedly(_INTERVAL, heartbeat.touch, (self._role,))

    def stop(self, consumer: Any) -> None:
        """Pause: the connection is lost, or the worker finishes its tasks and ends."""
        if self._timer:
            self._timer.cancel()
        heartbeat.pause(self._role)


class BeatScheduler(Scheduler):
    """Touch the file at each tick; intervals of an hour at most need no schedule file."""

    def tick(self, *arguments: Any, **options: Any) -> Any:
        heartbeat.touch("beat")
        return super().tick(*arguments, **options)

    def _ensure_connected(self) -> Any:
        heartbeat.pause("beat")
        return super()._ensure_connected()  # type: ignore[misc]  # the stubs lack it


def install(app: Celery) -> None:
    """Add heartbeat files to the workers and beat of this application."""
    app.steps["consumer"].add(WorkerStep)
    app.conf.beat_scheduler = "leadgen.processes.worker_heartbeat:BeatScheduler"
