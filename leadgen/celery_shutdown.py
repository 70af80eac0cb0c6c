"""A worker that is told to end finishes what it holds, but takes no longer than platforms allow."""

import os
import signal
import threading

from billiard.process import active_children
from celery import signals

# Kubernetes and Docker Swarm kill after 30 seconds, Docker after 10 unless told otherwise.
GRACE = 8.0


def bound(**_: object) -> None:
    """Give tasks that run so many seconds; called when the worker stops taking new ones."""
    timer = threading.Timer(GRACE, _interrupt)
    timer.daemon = True
    timer.start()


def _interrupt() -> None:
    """Let their soft time limit come now: a batch in flight is rolled back and stays due."""
    for child in active_children():
        if child.pid:
            os.kill(child.pid, signal.SIGUSR1)


def install() -> None:
    """Bound the end of every worker."""
    signals.worker_shutting_down.connect(bound, weak=False)
