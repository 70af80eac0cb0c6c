"""What workers are asked to do; each message is a hint to look at the ledger."""

from celery import shared_task
from django.conf import settings

from leadgen.leads.intake import LANES, drain

# Long enough to be worth a message, short enough that other tasks get their turn.
_SECONDS = 20


@shared_task(name=settings.INTAKE_TASK)
def intake() -> None:
    """Turn what waits in the ledger into leads; surplus hints find no lane and end at once."""
    drain(seconds=_SECONDS, lanes=LANES)
