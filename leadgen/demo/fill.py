"""Demo data: a fictitious organisation with two months of leads, made through the real verbs."""

from datetime import datetime, timedelta
from random import Random

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from leadgen.accounts.models import User
from leadgen.capture.models import Submission
from leadgen.demo import backdating, organisation
from leadgen.demo.sales import SalesSimulator
from leadgen.demo.visitors import VisitorSimulator
from leadgen.events.models import CurrentTransactionId, Cursor, Event
from leadgen.forms.models import Form
from leadgen.leads import default_pipeline, services
from leadgen.leads.intake.batches import drain
from leadgen.leads.models import Lead, LeadSubmission

DAYS = 60


class ForeignFormsError(Exception):
    """The database has forms that are not part of the demo."""


@transaction.atomic
def fill(*, force: bool = False) -> bool:
    """Fill an empty database; return False when the demo exists already.

    Raise ForeignFormsError when the database has other forms, unless ``force`` is set.
    """
    if User.objects.filter(email=organisation.ADMIN).exists():
        return False
    if Form.objects.exists() and not force:
        raise ForeignFormsError
    _simulate(timezone.now())
    return True


def _simulate(now: datetime) -> None:
    random = Random(7)  # noqa: S311 - a fixed seed: the same demo every time
    people = organisation.create_users()
    forms = organisation.create_forms(User.objects.get(email=organisation.ADMIN))
    organisation.create_campaigns(now)
    pipeline = default_pipeline.make_default().pipeline
    visitors = VisitorSimulator(random, forms)
    sales = SalesSimulator(random, people, {stage.name: stage for stage in pipeline.stages.all()})
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for day in (today - timedelta(days=days) for days in range(DAYS, -1, -1)):
        for lead in _run_intake(
            [visit for visit in visitors.visits(day) if visit.received_at < now]
        ):
            sales.plan_first_contact(lead)
        sales.work_until(min(day + timedelta(days=1), now))
    _run_intake(visitors.latest(now))
    sales.times += _remove_owners()
    Submission.objects.bulk_create([*visitors.quarantined(now), visitors.parked(now)])
    backdating.backdate(sales.times, began=now - timedelta(days=DAYS + 1))
    _skip_events()


def _run_intake(visits: list[Submission]) -> list[Lead]:
    """Insert submissions and run intake; return the leads that they opened."""
    Submission.objects.bulk_create(visits)
    drain()
    new = LeadSubmission.objects.filter(submission__in=visits, reason="new")
    return [link.lead for link in new.select_related("lead__contact").order_by("lead")]


def _remove_owners() -> list[datetime]:
    """Remove the owner of three new leads, for the lists of unowned leads; return the times."""
    manager = User.objects.get(email="manager@example.com")
    leads = Lead.objects.filter(status=Lead.Status.ASSIGNED)[1:4]
    for lead in leads:
        services.assign(lead, None, actor=manager)
    return [lead.created_at + timedelta(minutes=7) for lead in leads]


def _skip_events() -> None:
    """Set the cursor of notifications behind the demo's events, so that they send no mail."""
    last = Event.objects.aggregate(last=Max("id"))["last"]
    position = {"transaction": CurrentTransactionId(), "event_id": last}
    Cursor.objects.update_or_create(consumer="notifications", defaults=position)
