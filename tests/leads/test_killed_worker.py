import signal

import pytest
from django.db.models import Count, F

from leadgen.capture.models import Submission
from leadgen.leads.models import Contact, Lead, LeadSubmission
from tests.factories import make_form, make_pipeline, make_submissions
from tests.flows.waiting import eventually
from tests.stack import embedded, running

pytestmark = [
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("stack"),
]

ROWS, PEOPLE = 5_000, 1_700


@pytest.fixture
def five_thousand(db):
    make_pipeline()
    form = make_form()
    answers = [{"email": f"person{number % PEOPLE}@example.com"} for number in range(ROWS)]
    make_submissions(form, answers)


@pytest.fixture
def backends(tmp_path):
    return embedded(tmp_path) | {"INTAKE_BATCH_ROWS": "250"}


def test_killed_batch_links_each_submission_to_one_lead(five_thousand, backends, tmp_path):
    done = Submission.objects.filter(state="processed")
    with running(tmp_path, backends, roles=("worker", "beat")) as stack:
        eventually(done.exists, seconds=60)
        stack.stop("worker", signal.SIGKILL)
        assert 0 < done.count() == LeadSubmission.objects.count() < ROWS
        stack.start("worker")
        eventually(lambda: not Submission.objects.waiting().exists(), seconds=60)
    assert LeadSubmission.objects.count() == done.count() == ROWS
    assert Contact.objects.count() == Lead.objects.count() == PEOPLE
    counted = Lead.objects.annotate(links_count=Count("links"))
    assert not counted.exclude(links_count=F("submissions_count")).exists()
    assert not Submission.objects.filter(attempts__gt=0).exists()
