import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction

from leadgen.capture.models import Submission
from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.leads.intake import batches
from leadgen.leads.intake.batches import BatchOutcome, drain, run_batches
from leadgen.leads.intake.ordering import BatchOrdering
from leadgen.leads.intake.writing import write_leads
from leadgen.leads.models import Contact, Lead, LeadSubmission
from leadgen.leads.tasks import intake as task
from tests.factories import make_form, make_pipeline, make_submissions
from tests.flows.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)

FORM = Definition(
    title="Two answers",
    fields=tuple(FieldDefinition(name, "text", name, fills=name) for name in ("email", "phone")),
)
DEADLINE_SECONDS = 20
ROWS, PERSONS = 95, 19


@pytest.fixture(autouse=True)
def contact_form(settings):
    settings.INTAKE_BATCH_ROWS = 10
    make_pipeline()
    return make_form(FORM)


@pytest.fixture
def backlog(contact_form):
    make_submissions(contact_form, [{"email": f"p{n % PERSONS}@example.com"} for n in range(ROWS)])


def one_batch(ordering):
    try:
        return next(run_batches(ordering=ordering))
    finally:
        connection.close()


def in_second_thread(monkeypatch, do):
    """Call ``do`` before each batch of the second thread; the first thread waits for one."""
    started = threading.Event()
    calls: list[object] = []

    def begin(batch):
        if threading.current_thread() is not threading.main_thread():
            started.set()
            do()
        elif calls:
            assert started.wait(DEADLINE_SECONDS)
        calls.append(batch)
        return write_leads(batch)

    monkeypatch.setattr(batches, "write_leads", begin)


def in_order_by_lead():
    """Return the times of receipt of each lead's submissions, in the order of their links."""
    order: dict[int, list[object]] = {}
    for link in LeadSubmission.objects.select_related("submission").order_by("id"):
        order.setdefault(link.lead_id, []).append(link.submission.received_at)
    return list(order.values())


def test_only_persons_of_a_running_batch_wait_for_its_end(contact_form):
    ada, number = {"email": "ada@example.com"}, {"phone": "+442079460958"}
    make_submissions(contact_form, [ada, ada | number, number, {"email": "grace@example.com"}, {}])
    ordering = BatchOrdering()
    with ThreadPoolExecutor(1) as pool:
        with ordering.batch() as first, transaction.atomic():
            outcome, _ = batches._work_claimed(1, None, None, ordering, first)
            second = pool.submit(one_batch, ordering)
            eventually(
                lambda: Contact.objects.filter(email="grace@example.com").exists(),
                seconds=DEADLINE_SECONDS,
            )
            assert not second.done()
        assert outcome == BatchOutcome(processed=1)
        assert second.result(DEADLINE_SECONDS) == BatchOutcome(processed=4)
    ours = Contact.objects.get(email="ada@example.com")
    assert ours.phone == number["phone"]
    assert ours.leads.get().submissions_count == 3
    assert Contact.objects.count() == 3


def test_two_threads_process_each_row_of_a_backlog_once(backlog, monkeypatch):
    in_second_thread(monkeypatch, lambda: None)
    task()
    assert LeadSubmission.objects.count() == ROWS
    assert Contact.objects.count() == Lead.objects.count() == PERSONS
    assert sum(Lead.objects.values_list("submissions_count", flat=True)) == ROWS


def test_submissions_of_a_person_are_linked_in_order_of_receipt(contact_form):
    make_submissions(contact_form, [{"email": f"p{n * 7919 % 31}@example.com"} for n in range(600)])
    task()
    times_by_lead = in_order_by_lead()
    assert len(times_by_lead) == 31
    assert sum(map(len, times_by_lead)) == 600
    assert times_by_lead == [sorted(times) for times in times_by_lead]


def test_rows_processed_by_another_batch_are_skipped(contact_form):
    make_submissions(contact_form, [{"email": "ada@example.com"}] * 2)
    receipts = list(Submission.objects.order_by("received_at").values_list("pk", flat=True))
    assert drain() == BatchOutcome(processed=2)
    assert batches._work_later(receipts) == BatchOutcome()


def test_failed_second_thread_is_logged_and_its_rows_wait(backlog, monkeypatch, caplog):
    def fail():
        raise SoftTimeLimitExceeded

    with monkeypatch.context() as patch:
        in_second_thread(patch, fail)
        task()
    assert "second intake thread failed" in caplog.text
    drain()
    assert LeadSubmission.objects.count() == ROWS
