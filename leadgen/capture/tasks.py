"""What workers are asked to do for capture."""

from celery import shared_task

from leadgen.capture.newer_forms import release_judged
from leadgen.capture.nudge import REPLAY_TASK
from leadgen.capture.spool.replay import replay as replay_spool

# Long enough to be worth a message, short enough that other tasks get their turn.
_SECONDS = 20


@shared_task(name=REPLAY_TASK)
def replay() -> None:
    """Move what the spool holds to the ledger."""
    replay_spool(seconds=_SECONDS)


@shared_task(name="leadgen.capture.tasks.judge_newer_forms")
def judge_newer_forms() -> None:
    """Judge submissions to forms that were newer than the process which received them."""
    release_judged(seconds=_SECONDS)
