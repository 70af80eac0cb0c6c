"""How worker and beat show that they come round (leadgen.processes.heartbeat)."""

from typing import Any

from celery import Celery, bootsteps
from celery.beat import Scheduler

from leadgen.processes import heartbeat

_EVERY = 5.0


class WorkerStep(bootsteps.StartStopStep):
    """Beats from the timer of the worker's event loop while that runs, rests while it does not."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None
        heartbeat.pause("worker")

    def start(self, consumer: Any) -> None:
        """The broker is connected and the event loop is about to run."""
        heartbeat.touch("worker")
        self._timer = consumer.timer.call_repeatedly(_EVERY, heartbeat.touch, ("worker",))

    def stop(self, consumer: Any) -> None:
        """The broker is lost, or the worker finishes what it holds and ends."""
        if self._timer:
            self._timer.cancel()
        heartbeat.pause("worker")


class BeatScheduler(Scheduler):
    """Beats at each tick; keeps no file, since a timetable in seconds needs no memory."""

    def tick(self, *arguments: Any, **options: Any) -> Any:
        heartbeat.touch("beat")
        return super().tick(*arguments, **options)

    def _ensure_connected(self) -> Any:
        heartbeat.pause("beat")
        return super()._ensure_connected()  # type: ignore[misc]  # the stubs lack it


def install(app: Celery) -> None:
    """Let this application's worker and beat leave heartbeats."""
    app.steps["consumer"].add(WorkerStep)
    app.conf.beat_scheduler = "leadgen.processes.worker_heartbeat:BeatScheduler"
