import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from leadgen.capture.models import Submission
from leadgen.leads.models import LeadSubmission
from leadgen.operations.models import Balance
from leadgen.operations.reconcile import measure
from leadgen.operations.tasks import measure as measure_task
from tests.factories import make_lead, make_submission

pytestmark = pytest.mark.django_db(transaction=True)

State = Submission.State


def on_a_lead(form, state=State.PROCESSED, **fields):
    submission = make_submission(form, state=state, **fields)
    LeadSubmission.objects.create(lead=make_lead(), submission=submission, reason="new")
    return submission


def reconcile(*args):
    """Run the command; return its exit code and what it printed."""
    printed = StringIO()
    try:
        call_command("reconcile", *args, stdout=printed)
    except SystemExit as ended:
        return ended.code, printed.getvalue()
    return 0, printed.getvalue()


def test_every_submission_is_counted_in_one_place(published_form):
    on_a_lead(published_form)
    make_submission(published_form)
    make_submission(published_form, parked_at=timezone.now())
    make_submission(published_form, state=State.QUARANTINED, reasons=["honeypot"])
    make_submission(published_form, state=State.ERASED)
    on_a_lead(published_form, state=State.ERASED)
    balance = measure()
    assert list(balance.places.items()) == [
        ("on a lead", 1),
        ("quarantined", 1),
        ("waiting", 1),
        ("parked", 1),
        ("erased", 2),
    ]
    assert (balance.total, balance.unaccounted) == (6, 0)


def test_an_empty_ledger_balances():
    assert reconcile()[0] == 0
    assert measure().oldest_waiting is None


def test_reconcile_prints_the_age_of_the_oldest_waiting(published_form):
    old = timezone.now() - timedelta(hours=3)
    make_submission(published_form, received_at=old)
    make_submission(published_form)
    assert measure().oldest_waiting == old
    assert "the oldest has waited 3 hours" in reconcile()[1]


@pytest.mark.parametrize(
    ("fields", "linked", "problem"),
    [
        ({"state": "processed"}, False, "processed, but on no lead"),
        ({"state": "accepted"}, True, "on a lead, but still waiting"),
        ({"state": "quarantined", "reasons": ["flood"]}, True, "on a lead, but still quarantined"),
        ({"state": "accepted", "parked_at": timezone.now()}, True, "on a lead, but still parked"),
        ({"state": "quarantined"}, False, "in quarantine without a reason"),
        ({"state": "mislaid"}, False, "in the unknown state 'mislaid'"),
    ],
)
def test_unaccounted_submission_is_listed_with_its_problem(published_form, fields, linked, problem):
    make_submission(published_form)
    lost = (
        on_a_lead(published_form, **fields) if linked else make_submission(published_form, **fields)
    )
    code, printed = reconcile()
    assert code == 1
    assert f"{lost.pk}  {problem}" in printed
    assert "1  UNACCOUNTED FOR" in printed


def test_lost_link_is_found_and_repaired_ledger_balances(published_form):
    submission = on_a_lead(published_form)
    LeadSubmission.objects.all().delete()
    assert reconcile()[0] == 1
    LeadSubmission.objects.create(lead=make_lead(), submission=submission, reason="new")
    assert reconcile() == (0, reconcile()[1])
    assert "Every submission is accounted for." in reconcile()[1]


def test_json_contains_the_same_numbers(published_form):
    lost = make_submission(published_form, state=State.PROCESSED)
    code, printed = reconcile("--json")
    balance = json.loads(printed)
    assert (code, balance["total"], balance["unaccounted"]) == (1, 1, 1)
    assert balance["faults"] == [{"receipt": str(lost.pk), "problem": "processed, but on no lead"}]


def test_at_most_a_hundred_receipts_are_listed(published_form):
    for _ in range(101):
        make_submission(published_form, state=State.PROCESSED)
    balance = measure()
    assert (balance.unaccounted, len(balance.faults)) == (101, 100)


def test_scheduled_task_records_the_balance(published_form):
    lost = make_submission(published_form, state=State.PROCESSED)
    measure_task()
    newest = Balance.objects.newest()
    assert newest
    assert newest.unaccounted == 1
    assert newest.receipts == [[str(lost.pk), "processed, but on no lead"]]


def test_a_long_measurement_is_not_repeated_at_once(published_form):
    measure_task()
    Balance.objects.update(seconds=60)
    measure_task()
    assert Balance.objects.count() == 1


def test_balances_older_than_a_week_are_deleted():
    measure_task()
    Balance.objects.update(at=timezone.now() - timedelta(days=8))
    measure_task()
    assert Balance.objects.count() == 1
