"""Celery task of the event log: run every consumer, sent by beat every two seconds."""

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
    """Run every consumer; return how many events their cursors passed together."""
    return sum(_catch_up(consumer, handlers) for consumer, handlers in pipeline().items())


def _catch_up(consumer: str, handlers: Mapping[str, Handler]) -> int:
    """Consume slice by slice until no event is left or the time of a run is over."""
    deadline, total = time.monotonic() + _RUN_SECONDS, 0
    while time.monotonic() < deadline and (passed := consume_slice(consumer, handlers)):
        total += passed
    return total
