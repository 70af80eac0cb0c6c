"""Readiness: ask every backend whether this process can store submissions."""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from leadgen.lib.net.timeouts import run_with_timeout
from leadgen.lib.telemetry.metrics import DEPENDENCY_ERRORS
from leadgen.operations import probes

SECONDS = 2.0
# Anybody may ask, at any rate: 16 clients made 80 to 160 rounds a second, each with a connection to
# database, storage and broker. Probes come every few seconds, so this delays none of them.
MAX_AGE_SECONDS = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backend:
    name: str
    ask: Callable[[], None]
    required: bool = True


@dataclass(frozen=True, slots=True)
class BackendAnswer:
    """Answer of a backend; ``error`` is the exception's class only, because the page is public."""

    name: str
    ok: bool
    required: bool
    ms: int
    error: str = ""


# Only the database is required. Without the broker leads come seconds later and none is lost;
# without the storage submissions are still accepted.
BACKENDS = [
    Backend("database", probes.database),
    Backend("storage", probes.storage, required=False),
    Backend("broker", probes.broker, required=False),
]


def ask_all() -> list[BackendAnswer]:
    """Ask every backend in parallel, each for at most SECONDS."""
    with ThreadPoolExecutor(len(BACKENDS)) as executor:
        return list(executor.map(_ask, BACKENDS))


class Readiness:
    """The latest answers of the backends, kept for ``MAX_AGE_SECONDS``."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asking = threading.Lock()
        self._answers: list[BackendAnswer] = []
        self._asked_at = -math.inf

    def answers(self) -> list[BackendAnswer]:
        """Return the kept answers, or ask the backends; one thread of a process asks for all."""
        with self._asking:
            if self._clock() - self._asked_at >= MAX_AGE_SECONDS:
                self._answers = ask_all()
                self._asked_at = self._clock()
            return self._answers


READINESS = Readiness()


def keeps_submissions(answers: Sequence[BackendAnswer]) -> bool:
    """Tell whether the required backends answer, or the storage can replace the database.

    An unready process gets no requests, so an outage of the database would turn visitors away.
    A process that has never read the tables has no form in its cache and stays unready (ADR 0014).
    """
    if all(answer.ok for answer in answers if answer.required):
        return True
    spools = any(answer.ok for answer in answers if answer.name == "storage")
    return spools and probes.has_seen_tables()


def _ask(backend: Backend) -> BackendAnswer:
    started, error = time.perf_counter(), ""
    try:
        run_with_timeout(SECONDS, backend.ask)
    except Exception as fault:
        error = type(fault).__name__
        DEPENDENCY_ERRORS.labels(backend.name).inc()
        logger.warning("%s unavailable: %s", backend.name, fault)
    ms = round((time.perf_counter() - started) * 1000)
    return BackendAnswer(backend.name, not error, backend.required, ms, error)
