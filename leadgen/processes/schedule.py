"""Table of scheduled tasks: task, interval, expiry and queue of each, sent by beat.

A message is a hint to look at the database. A worker that receives none for ten seconds runs the
tasks with ``fallback=True`` itself (leadgen.processes.worker_fallback). Set it only for a task that
is harmless when every worker runs it at once and every ten seconds.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from leadgen.processes.roles import DEFAULT, DELIVERY, INTAKE


@dataclass(frozen=True, slots=True)
class ScheduledTask:
    """One line of the table; ``every`` and ``expires`` are seconds."""

    task: str
    every: float
    expires: float
    queue: str
    fallback: bool = False

    @property
    def entry(self) -> dict[str, Any]:
        """The task as an entry of Celery's ``beat_schedule``."""
        return {"task": self.task, "schedule": self.every, "options": {"expires": self.expires}}


TASKS = {
    "sweep the ledger": ScheduledTask(
        settings.INTAKE_TASK, every=3, expires=9, queue=INTAKE, fallback=True
    ),
    "replay the spool": ScheduledTask(
        "leadgen.capture.tasks.replay", every=10, expires=20, queue=INTAKE, fallback=True
    ),
    "judge submissions to newer forms": ScheduledTask(
        "leadgen.capture.tasks.judge_newer_forms",
        every=30,
        expires=60,
        queue=INTAKE,
        fallback=True,
    ),
    "consume events": ScheduledTask(
        "leadgen.events.tasks.consume", every=2, expires=6, queue=DEFAULT, fallback=True
    ),
    "deliver notifications": ScheduledTask(
        "leadgen.accounts.tasks.deliver", every=2, expires=6, queue=DELIVERY, fallback=True
    ),
    "delete old notifications": ScheduledTask(
        "leadgen.accounts.tasks.prune", every=3600, expires=3600, queue=DEFAULT
    ),
    # Returns at once while its last result is recent, so it may run in every worker.
    "measure the balance": ScheduledTask(
        "leadgen.operations.tasks.measure", every=60, expires=60, queue=DEFAULT, fallback=True
    ),
}
