import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction

from leadgen.forms.definition import Definition, Field
from leadgen.leads import intake
from leadgen.leads.abreast import Persons
from leadgen.leads.attach import attach
from leadgen.leads.intake import Outcome, batches, drain
from leadgen.leads.models import Contact, Lead, LeadSubmission
from leadgen.leads.tasks import intake as task
from tests.factories import make_form, make_pipeline, make_submissions

pytestmark = pytest.mark.django_db(transaction=True)

FORM = Definition(
    title="Two answers",
    fields=tuple(Field(name, "text", name, fills=name) for name in ("email", "phone")),
)
DEADLINE_SECONDS = 20
ROWS, PERSONS = 95, 19


@pytest.fixture(autouse=True)
def form(settings):
    settings.INTAKE_BATCH_ROWS = 10
    make_pipeline()
    return make_form(FORM)


@pytest.fixture
def backlog(form):
    make_submissions(form, [{"email": f"p{n % PERSONS}@example.com"} for n in range(ROWS)])


def one_batch(persons):
    try:
        return next(batches(persons=persons))
    finally:
        connection.close()


def in_second_thread(monkeypatch, do):
    """Let every batch of the second thread begin so, and the first thread wait for one."""
    came = threading.Event()
    calls: list[object] = []

    def begin(rows, take):
        if threading.current_thread() is not threading.main_thread():
            came.set()
            do()
        elif calls:
            assert came.wait(DEADLINE_SECONDS)
        calls.append(rows)
        return attach(rows, take)

    monkeypatch.setattr(intake, "attach", begin)


def test_a_batch_leaves_persons_that_another_is_at_to_a_later_one(form):
    ada, number = {"email": "ada@example.com"}, {"phone": "+442079460958"}
    make_submissions(form, [ada, ada | number, number, {"email": "grace@example.com"}, {}])
    persons = Persons()
    with ThreadPoolExecutor(1) as pool, persons.batch() as take, transaction.atomic():
        assert intake._work_batch(1, None, None, take) == Outcome(processed=1)
        second = pool.submit(one_batch, persons).result(DEADLINE_SECONDS)
    assert second == Outcome(processed=2)
    assert one_batch(persons) == Outcome(processed=2)
    ours = Contact.objects.get(email="ada@example.com")
    assert ours.phone == number["phone"]
    assert ours.leads.get().submissions_count == 3
    assert Contact.objects.count() == 3


def test_a_backlog_is_worked_by_two_threads_each_row_once(backlog, monkeypatch):
    in_second_thread(monkeypatch, lambda: None)
    task()
    drain()
    assert LeadSubmission.objects.count() == ROWS
    assert Contact.objects.count() == Lead.objects.count() == PERSONS
    assert sum(Lead.objects.values_list("submissions_count", flat=True)) == ROWS


def test_a_failure_of_the_second_thread_is_told_and_its_rows_are_worked_later(backlog, monkeypatch):
    def fail():
        raise SoftTimeLimitExceeded

    with monkeypatch.context() as patch:
        in_second_thread(patch, fail)
        with pytest.raises(SoftTimeLimitExceeded):
            task()
    drain()
    assert LeadSubmission.objects.count() == ROWS
