"""A worker that is told to end finishes what it holds, but takes no longer than platforms allow."""

import os
import signal
import threading
import time
from contextlib import suppress

from billiard.process import active_children
from celery import signals

from leadgen.lib.telemetry import tracing

# Kubernetes and Docker Swarm kill after 30 seconds, Docker after 10 unless told otherwise.
GRACE = 8.0


def bound(**_: object) -> None:
    """Give tasks so many seconds, and the farewell to the broker as many; called on SIGTERM."""
    threading.Thread(target=_end, name="end", daemon=True).start()


def _end() -> None:
    time.sleep(GRACE)
    _interrupt()
    time.sleep(GRACE)
    # A broker that stands still is waited for at each step of the farewell. It gives the hints
    # out again, and PostgreSQL rolls back what a process held that ends with this one.
    os._exit(os.EX_OK)


def _interrupt() -> None:
    """Let their soft time limit come now: a batch in flight is rolled back and stays due."""
    for child in active_children():
        # One that ends by itself this very moment must not end us, who bound the others.
        with suppress(ProcessLookupError):
            if child.pid:
                os.kill(child.pid, signal.SIGUSR1)


def _flush(**_: object) -> None:
    tracing.flush()


def install() -> None:
    """Bound the end of every worker."""
    signals.worker_shutting_down.connect(bound, weak=False)
    signals.worker_process_shutdown.connect(_flush, weak=False)
