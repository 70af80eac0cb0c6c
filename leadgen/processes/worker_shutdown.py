"""Time limit of a worker's warm shutdown, below the grace period of platforms."""

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
    """Limit tasks to GRACE seconds and the disconnect to as many; called on SIGTERM."""
    threading.Thread(target=_end, name="shutdown", daemon=True).start()


def _end() -> None:
    time.sleep(GRACE)
    _interrupt()
    time.sleep(GRACE)
    # Each step of the disconnect waits for a broker that does not answer. The broker redelivers
    # the messages, and PostgreSQL rolls back the transactions of a process that ends here.
    os._exit(os.EX_OK)


def _interrupt() -> None:
    """Raise the soft time limit in each child: a batch in flight is rolled back and stays due."""
    for child in active_children():
        # A child that has just ended must not stop this loop before the other children.
        with suppress(ProcessLookupError):
            if child.pid:
                os.kill(child.pid, signal.SIGUSR1)


def _flush(**_: object) -> None:
    tracing.flush()


def install() -> None:
    """Limit the shutdown of every worker."""
    signals.worker_shutting_down.connect(bound, weak=False)
    signals.worker_process_shutdown.connect(_flush, weak=False)
