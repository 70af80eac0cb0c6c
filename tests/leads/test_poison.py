from datetime import timedelta
from unittest.mock import Mock

import pytest
import time_machine
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from leadgen.capture.models import Submission
from leadgen.events.models import Event
from leadgen.leads.intake import batches
from leadgen.leads.intake.batches import BatchOutcome, drain
from leadgen.leads.models import Contact, Lead, LeadSubmission
from tests.factories import make_lead, make_submission

pytestmark = pytest.mark.django_db


@pytest.fixture
def poison(published_form):
    return make_submission(published_form, context=["no", "object", "at", "all"])


def misshapen(row):
    Submission.objects.filter(pk=row.pk).update(context=["no", "object", "at", "all"])


def on_a_lead_already(row):
    contact, _ = Contact.objects.get_or_create(name="Somebody else")
    LeadSubmission.objects.create(lead=make_lead(contact=contact), submission=row, reason="new")


class Server:
    def fails_with(self, state):
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE 'as asked' USING ERRCODE = '{state}'; END $$;"
                "CREATE TRIGGER fail BEFORE INSERT ON leads_contact EXECUTE FUNCTION fail()"
            )

    def recovers(self):
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER fail ON leads_contact")


@pytest.fixture
def server():
    return Server()


def make_due(submission):
    Submission.objects.filter(pk=submission.pk).update(next_at=timezone.now() - timedelta(1))


@pytest.mark.parametrize("hours", [-1, 1])
def test_retry_time_follows_the_database_clock(published_form, poison, hours):
    started = timezone.now()
    with time_machine.travel(started + timedelta(hours=hours)):
        drain()
    poison.refresh_from_db()
    assert timedelta(0) < poison.next_at - started < timedelta(minutes=2)


def test_failing_row_is_skipped_and_the_others_are_processed(published_form, poison):
    for _ in range(9):
        make_submission(published_form)
    assert drain() == BatchOutcome(processed=9, failed=1)
    assert Lead.objects.count() == Contact.objects.count() == 9
    assert not LeadSubmission.objects.filter(submission=poison).exists()


@pytest.mark.parametrize("poisoned", [misshapen, on_a_lead_already])
def test_failing_row_per_batch_costs_few_statements(published_form, poisoned):
    for number in range(64):
        row = make_submission(published_form)
        if number % 16 == 5:
            poisoned(row)
    with CaptureQueriesContext(connection) as captured:
        assert drain(16) == BatchOutcome(processed=60, failed=4)
    assert set(Submission.objects.filter(attempts=1).values_list("state")) == {("accepted",)}
    assert Contact.objects.count() == 60 + (poisoned is on_a_lead_already)
    # Halving 16 rows tries 9 groups; one by one would be 16 tries, and 60 more for good rows.
    assert len(captured) < 4 * 9 * 25


def test_a_failure_is_noted_and_tried_again_later_each_time(poison):
    waits = []
    for attempt in range(1, batches.MAX_ATTEMPTS):
        began = timezone.now()
        assert drain() == BatchOutcome(failed=1)
        poison.refresh_from_db()
        assert (poison.attempts, poison.state) == (attempt, "accepted")
        waits.append(round((poison.next_at - began).total_seconds() / 10))
        make_due(poison)
    assert waits == [2, 4, 8, 16]
    assert poison.last_error.startswith("AttributeError: ")


def test_failed_row_is_skipped_until_it_is_due(poison):
    drain()
    assert drain() == BatchOutcome()
    make_due(poison)
    assert drain() == BatchOutcome(failed=1)


def test_row_is_parked_after_five_attempts(poison):
    for _ in range(batches.MAX_ATTEMPTS):
        make_due(poison)
        outcome = drain()
    assert outcome == BatchOutcome(parked=1)
    assert list(Submission.objects.parked()) == [poison]
    parked = Event.objects.get(kind="submission.parked")
    assert (parked.subject_id, parked.data) == (str(poison.pk), {"error": "AttributeError"})
    make_due(poison)
    assert drain() == BatchOutcome()


def test_recovered_row_becomes_a_lead_without_error(published_form, poison):
    drain()
    Submission.objects.filter(pk=poison.pk).update(context={})
    make_due(poison)
    assert drain() == BatchOutcome(processed=1)
    poison.refresh_from_db()
    assert (poison.state, poison.last_error, poison.next_at) == ("processed", "", None)


@pytest.mark.parametrize("state", ["40P01", "57014", "42703", "25006", "53200", "55P03"])
def test_server_faults_do_not_count_as_attempts(published_form, server, state):
    waiting = [make_submission(published_form) for _ in range(3)]
    server.fails_with(state)
    for _ in range(batches.MAX_ATTEMPTS + 1):
        assert drain() == BatchOutcome(failed=3)
        Submission.objects.update(next_at=None)
    assert set(Submission.objects.values_list("attempts", "parked_at")) == {(0, None)}
    server.recovers()
    assert drain() == BatchOutcome(processed=len(waiting))


def test_exceeded_postgresql_limit_counts_as_attempt(published_form, server):
    row = make_submission(published_form)
    server.fails_with("54000")
    drain()
    row.refresh_from_db()
    assert (row.attempts, row.last_error) == (1, "OperationalError: as asked")


def test_a_worker_at_its_time_limit_leaves_the_batch_as_it_was(published_form, monkeypatch):
    row = make_submission(published_form)
    monkeypatch.setattr(batches, "write_leads", Mock(side_effect=SoftTimeLimitExceeded))
    with pytest.raises(SoftTimeLimitExceeded):
        drain()
    row.refresh_from_db()
    assert (row.attempts, row.last_error, row.next_at) == (0, "", None)


def test_postgresql_errors_are_stored_without_values(published_form):
    linked = make_submission(published_form)
    LeadSubmission.objects.create(lead=make_lead(), submission=linked, reason="new")
    before = Contact.objects.count()
    assert drain() == BatchOutcome(failed=1)
    linked.refresh_from_db()
    assert linked.last_error.startswith("IntegrityError: duplicate key value")
    assert str(linked.pk) not in linked.last_error
    assert Contact.objects.count() == before
