"""Time limit for blocking calls, by a thread."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

from django.db import connections

Answer = TypeVar("Answer")


def run_with_timeout(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """Return the result of ``ask``, or raise its error; raise TimeoutError after ``seconds``.

    ``ask`` runs in a thread with database connections of its own. After a timeout the thread keeps
    running; as a daemon thread it ends with the process.
    """
    answers: SimpleQueue[tuple[Answer | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            answers.put((ask(), None))
        except BaseException as error:
            answers.put((None, error))
        finally:
            connections.close_all()

    threading.Thread(target=run, name="within", daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"no answer within {seconds:g} seconds") from None
    if error:
        raise error
    return answer  # type: ignore[return-value]
