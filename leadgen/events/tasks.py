"""Celery's way in: beat calls it every few seconds, and whoever wants events handled sooner."""

import logging
import time
from collections.abc import Mapping

from celery import shared_task

from leadgen.events.consumers import Handler, pipeline
from leadgen.events.consumers import consume as consume_slice

_RUN_SECONDS = 30.0

logger = logging.getLogger(__name__)


@shared_task
def consume() -> int:
    """Let every consumer read on; return how many events they passed together."""
    return sum(_catch_up(consumer, handlers) for consumer, handlers in pipeline().items())


def _catch_up(consumer: str, handlers: Mapping[str, Handler]) -> int:
    """Slice by slice until nothing is left or the run has lasted long enough."""
    deadline, total = time.monotonic() + _RUN_SECONDS, 0
    while time.monotonic() < deadline and (passed := consume_slice(consumer, handlers)):
        total += passed
    return total
