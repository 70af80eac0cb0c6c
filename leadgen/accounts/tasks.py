"""Celery tasks of notifications: delivery of due ones and deletion of old ones."""

import time

from celery import shared_task

from leadgen.accounts import notifications

# A thread of the role `delivery` takes another message after this time.
_RUN_SECONDS = 30.0


@shared_task
def deliver() -> None:
    """Send due notifications batch by batch until none is due or the mail server is unavailable."""
    deadline = time.monotonic() + _RUN_SECONDS
    while time.monotonic() < deadline and notifications.deliver():
        pass


@shared_task
def prune() -> None:
    """Delete notifications that ended long ago."""
    notifications.prune()
