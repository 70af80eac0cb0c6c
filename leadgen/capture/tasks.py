"""Celery tasks of capture: replay the spool, validate deferred submissions."""

from celery import shared_task

from leadgen.capture.newer_forms import release_judged
from leadgen.capture.nudge import REPLAY_TASK
from leadgen.capture.spool.replay import replay as replay_spool

# Seconds a run: long enough to be worth a message, short enough that other tasks get their turn.
_SECONDS = 20


@shared_task(name=REPLAY_TASK)
def replay() -> None:
    """Write the spooled submissions to the ledger."""
    replay_spool(seconds=_SECONDS)


@shared_task(name="leadgen.capture.tasks.judge_newer_forms")
def judge_newer_forms() -> None:
    """Validate submissions to forms that were newer than the process that received them."""
    release_judged(seconds=_SECONDS)
