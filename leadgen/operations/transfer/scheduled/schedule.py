"""Backups at a regular interval, for a machine without a scheduler."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from django.db import close_old_connections
from django.utils import timezone

from leadgen.operations.models import Backup

POLL_SECONDS = 60.0
# After a failure, so that an unavailable storage or database costs minutes and not a day.
RETRY_SECONDS = 900.0


def repeat(
    once: Callable[[], None],
    interval: timedelta,
    status: Path | None,
    report: Callable[[str], object],
    sleep: Callable[[float], object] = time.sleep,
) -> NoReturn:
    """Run ``once`` whenever the newest backup is older than the interval; never return.

    A failure is reported and retried after a quarter of an hour. ``status`` is a file that exists
    while the last run has succeeded.
    """
    while True:
        succeeded = _run_when_due(once, interval, report)
        if status:
            status.touch() if succeeded else status.unlink(missing_ok=True)
        sleep(POLL_SECONDS if succeeded else RETRY_SECONDS)


def _run_when_due(
    once: Callable[[], None], interval: timedelta, report: Callable[[str], object]
) -> bool:
    close_old_connections()
    try:
        newest = Backup.objects.newest()
        if newest is None or timezone.now() - newest.at >= interval:
            once()
    except Exception as error:
        report(f"The backup failed, the next attempt is in 15 minutes: {error}")
        return False
    return True
