"""Scheduled measurement of the balance."""

import time
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from leadgen.operations import reconcile
from leadgen.operations.models import Balance

# A full pass takes seconds at millions of rows, so at most a twentieth of the time is spent on it.
_SHARE = 20


@shared_task
def measure() -> None:
    """Record the balance of the ledger, unless the last pass was too long and too recent."""
    last = Balance.objects.newest()
    if last and timezone.now() - last.at < timedelta(seconds=_SHARE * last.seconds):
        return
    started = time.perf_counter()
    sheet = reconcile.measure()
    Balance.objects.record(sheet, seconds=time.perf_counter() - started)
