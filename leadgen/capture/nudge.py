"""Nudges: coalesced hints to the workers through the broker, published by a background thread."""

import logging
import threading
import time
from collections.abc import Callable

from celery import current_app
from django.conf import settings

from leadgen.capture.metrics import NUDGES

logger = logging.getLogger("leadgen.capture")


REPLAY_TASK = "leadgen.capture.tasks.replay"


def send(task: str) -> None:
    """Publish one hint; it expires after 10 s, so that a stopped worker's queue does not grow.

    Raise what Celery and kombu raise when the broker is unavailable.
    """
    current_app.send_task(
        task,
        expires=10,
        ignore_result=True,
        retry_policy={"max_retries": 1, "interval_start": 0},
        timeout=4,
        confirm_timeout=4,
    )


class Nudger:
    """Publish at most one hint per ``interval`` seconds from a background thread.

    A broker that stops answering can block a publisher for minutes. A thread that publishes for
    longer than ``timeout`` seconds is abandoned (it ends when its call returns), and the next
    thread starts with exponential back-off. Until then the periodic sweep finds the submissions.
    """

    def __init__(
        self, send: Callable[[], None], *, interval: float = 0.2, timeout: float = 5.0
    ) -> None:
        self._send = send
        self._interval = interval
        self._timeout = timeout
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._sending_since = 0.0
        self._pause = timeout
        self._not_before = 0.0
        self._failing = False

    def nudge(self) -> None:
        """Request a hint; return at once. A request while another is pending has no effect."""
        self._wanted.set()
        with self._lock:
            if self._thread and self._is_stuck():
                self._abandon_thread()
            if not (self._thread and self._thread.is_alive()) and self._may_start():
                self._thread = threading.Thread(target=self._run, name="nudge", daemon=True)
                self._thread.start()

    def _is_stuck(self) -> bool:
        since = self._sending_since
        return bool(since) and time.monotonic() - since > self._timeout

    def _may_start(self) -> bool:
        return time.monotonic() >= self._not_before

    def _abandon_thread(self) -> None:
        logger.warning(
            "broker timeout: nudge not sent within %g s, intake continues by the sweep",
            self._timeout,
        )
        NUDGES.labels("stuck").inc()
        self._thread, self._sending_since = None, 0.0
        self._not_before = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, 60 * self._timeout)

    def _run(self) -> None:
        while self._is_current():
            self._wanted.wait()
            self._wanted.clear()
            self._sending_since = time.monotonic()
            self._try_send()
            time.sleep(self._interval)

    def _try_send(self) -> None:
        try:
            self._send()
        except Exception as error:
            if not self._failing:  # once an outage, not once an interval (five times a second)
                logger.warning("broker unavailable, nudge not sent: %s", type(error).__name__)
            self._failing = True
            self._finish("failed")
        else:
            self._failing = False
            self._finish("sent")

    def _finish(self, outcome: str) -> None:
        NUDGES.labels(outcome).inc()
        with self._lock:
            if self._is_current():
                self._sending_since = 0.0
                self._pause = self._timeout

    def _is_current(self) -> bool:
        return self._thread is threading.current_thread()


_nudger = Nudger(lambda: send(settings.INTAKE_TASK))
_replayer = Nudger(lambda: send(REPLAY_TASK))


def nudge() -> None:
    """Request an intake run; return at once, whether the broker is available or not."""
    _nudger.nudge()


def nudge_replay() -> None:
    """Request a replay of the spool; return at once."""
    _replayer.nudge()
