"""What beat has measured."""

import time
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from leadgen.operations import reconcile
from leadgen.operations.models import Balance

# A full pass takes seconds at millions of rows: it may take one part in so many of the time.
_SHARE = 20


@shared_task
def measure() -> None:
    """Write down the balance of the ledger, unless measuring it again so soon costs too much."""
    last = Balance.objects.newest()
    if last and timezone.now() - last.at < timedelta(seconds=_SHARE * last.seconds):
        return
    started = time.perf_counter()
    sheet = reconcile.measure()
    Balance.objects.record(sheet, seconds=time.perf_counter() - started)
