"""A believable, plainly made-up organisation with two months of leads."""

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
    """The database holds forms that are not the demo's."""


@transaction.atomic
def fill(*, force: bool = False) -> bool:
    """Fill an empty database; return False where the demo is already there.

    Raise OccupiedError where there are other forms, unless forced.
    """
    if User.objects.filter(email=organisation.ADMIN).exists():
        return False
    if Form.objects.exists() and not force:
        raise ForeignFormsError
    _play(timezone.now())
    return True


def _play(now: datetime) -> None:
    random = Random(7)  # noqa: S311 - the same demo every time
    people = organisation.make_people()
    forms = organisation.make_forms(User.objects.get(email=organisation.ADMIN))
    organisation.make_campaigns(now)
    pipeline = default_pipeline.make_default().pipeline
    crowd = VisitorSimulator(random, forms)
    office = SalesSimulator(random, people, {stage.name: stage for stage in pipeline.stages.all()})
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for day in (today - timedelta(days=days) for days in range(DAYS, -1, -1)):
        for lead in _arrive([visit for visit in crowd.visits(day) if visit.received_at < now]):
            office.welcome(lead)
        office.work_until(min(day + timedelta(days=1), now))
    _arrive(crowd.latest(now))
    office.times += _let_go()
    Submission.objects.bulk_create([*crowd.held(now), crowd.parked(now)])
    backdating.age(office.times, began=now - timedelta(days=DAYS + 1))
    _skip_events()


def _arrive(visits: list[Submission]) -> list[Lead]:
    """Send submissions through intake; return the leads that they opened."""
    Submission.objects.bulk_create(visits)
    drain()
    new = LeadSubmission.objects.filter(submission__in=visits, reason="new")
    return [link.lead for link in new.select_related("lead__contact").order_by("lead")]


def _let_go() -> list[datetime]:
    """Leave some fresh leads without an owner: somebody is on holiday; return when."""
    manager = User.objects.get(email="manager@example.com")
    leads = Lead.objects.filter(status=Lead.Status.ASSIGNED)[1:4]
    for lead in leads:
        services.assign(lead, None, actor=manager)
    return [lead.created_at + timedelta(minutes=7) for lead in leads]


def _skip_events() -> None:
    """Pass the demo's events by: nobody is mailed about leads that never were."""
    last = Event.objects.aggregate(last=Max("id"))["last"]
    here = {"transaction": CurrentTransactionId(), "event_id": last}
    Cursor.objects.update_or_create(consumer="notifications", defaults=here)
