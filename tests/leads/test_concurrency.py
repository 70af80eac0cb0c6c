import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.db import Error, connection, transaction
from django.utils import timezone

from leadgen.capture.models import Submission
from leadgen.events.models import Event
from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.leads import record_services, services
from leadgen.leads.bulk_services import assign_leads, complete_tasks
from leadgen.leads.intake import batches
from leadgen.leads.intake.batches import BatchOutcome, drain
from leadgen.leads.intake.ordering import BatchOrdering
from leadgen.leads.models import Company, Contact, Identity, Lead, LeadSubmission, Stage
from leadgen.leads.tasks import intake
from leadgen.lib.edits import RowEdits
from leadgen.lib.postgresql.connections import connection_parameters
from tests.factories import (
    make_form,
    make_lead,
    make_pipeline,
    make_submission,
    make_submissions,
    make_user,
)
from tests.flows.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)

FORM = Definition(
    title="Everything",
    fields=tuple(
        FieldDefinition(name, "text", name, fills=name) for name in ("email", "phone", "company")
    ),
)
DEADLINE_SECONDS = 20


@pytest.fixture(autouse=True)
def contact_form():
    make_pipeline()
    return make_form(FORM)


def run_and_disconnect(work):
    """Do the work, then close this thread's connection."""
    try:
        return work()
    finally:
        connection.close()


def together(works):
    """Do all at once, each in a thread with a connection of its own; return the results."""
    start = threading.Barrier(len(works))

    def begin(work):
        start.wait(DEADLINE_SECONDS)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        futures = [pool.submit(run_and_disconnect, lambda work=work: begin(work)) for work in works]
        return [future.result(DEADLINE_SECONDS) for future in futures]


def is_a_session_blocked():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return cursor.fetchone() != (0,)


def test_twenty_drains_of_one_person_create_one_open_lead(contact_form):
    make_submissions(contact_form, [{"email": "ada@example.com", "company": "Engines"}] * 20)
    outcomes = together([lambda: drain(1)] * 20)
    assert sum(outcomes, BatchOutcome()) == BatchOutcome(processed=20)
    assert Contact.objects.count() == Company.objects.count() == Identity.objects.count() == 1
    assert Lead.objects.get().submissions_count == 20
    assert Event.objects.filter(kind="lead.created").count() == 1
    assert Event.objects.filter(kind="lead.submission_added").count() == 20


@pytest.mark.parametrize("seed", range(3))
def test_batches_with_the_same_people_do_not_deadlock(contact_form, seed):
    people = [
        {"email": f"p{number}@example.com", "phone": f"+442079460{number:03}", "company": company}
        for number in range(12)
        for company in ("Engines", "Looms")
    ]
    rows = people * 10
    random.Random(seed).shuffle(rows)
    make_submissions(contact_form, rows)
    outcomes = together([lambda: drain(7)] * 8)
    assert sum(outcomes, BatchOutcome()) == BatchOutcome(processed=240)
    assert Contact.objects.count() == Lead.objects.count() == 12
    assert LeadSubmission.objects.count() == 240
    assert sum(Lead.objects.values_list("submissions_count", flat=True)) == 240


def test_batch_waits_for_a_person_that_another_batch_creates(contact_form):
    make_submissions(contact_form, [{"email": "ada@example.com"}, {"email": "ada@example.com"}])
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first = batches._work_batch(1, None, None, BatchOrdering())
            draining = pool.submit(run_and_disconnect, drain)
            eventually(is_a_session_blocked, seconds=DEADLINE_SECONDS)
        assert first == draining.result(DEADLINE_SECONDS) == BatchOutcome(processed=1)
    assert Contact.objects.count() == Identity.objects.count() == 1
    assert Lead.objects.get().submissions_count == 2


def test_locked_row_is_skipped_without_waiting(contact_form):
    held = make_submission(contact_form, received_at=timezone.now() - timedelta(days=1))
    make_submission(contact_form)
    with transaction.atomic():
        Submission.objects.select_for_update().get(pk=held.pk)
        assert together([drain]) == [BatchOutcome(processed=1)]
    assert drain() == BatchOutcome(processed=1)


def test_batch_without_a_free_slot_leaves_the_rows(contact_form):
    make_submission(contact_form)
    with transaction.atomic():
        assert batches._acquire_slot(1)
        assert together([lambda: drain(max_parallel=1)]) == [BatchOutcome()]
        assert together([lambda: drain(max_parallel=2)]) == [BatchOutcome(processed=1)]


def test_slots_are_limited_to_their_number():
    taken = []
    with ExitStack() as stack:
        for _ in range(4):
            other = stack.enter_context(psycopg.connect(**connection_parameters()))
            row = other.execute(batches._ACQUIRE_SLOT, [2, batches._SLOT_KEY]).fetchone()
            taken.append(row)
    assert taken == [(0,), (1,), (2,), None]


def test_the_task_runs_no_more_batches_than_the_setting(contact_form, settings):
    settings.INTAKE_MAX_PARALLEL = 1
    make_submission(contact_form)
    with transaction.atomic():
        assert batches._acquire_slot(1)
        together([intake])
        assert Submission.objects.waiting().count() == 1
    settings.INTAKE_MAX_PARALLEL = 0
    with transaction.atomic():
        assert batches._acquire_slot(1)
        together([intake])
    assert Submission.objects.waiting().count() == 0


def test_a_lost_connection_ends_a_batch_without_halving(contact_form, monkeypatch):
    make_submissions(contact_form, [{"email": f"ada{number}@example.com"} for number in range(8)])
    attempts = []

    def lose_connection(items):
        attempts.append(len(items))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(batches, "write_leads", lose_connection)
    with ThreadPoolExecutor(1) as pool, pytest.raises(Error):
        pool.submit(run_and_disconnect, drain).result(DEADLINE_SECONDS)
    assert attempts == [8]
    assert Submission.objects.waiting().filter(attempts=0, next_at=None).count() == 8


def test_idle_worker_loses_its_rows_and_its_slot(contact_form, monkeypatch):
    monkeypatch.setattr(batches, "IDLE_TIMEOUT", "200ms")
    make_submission(contact_form)
    asleep, go_on = threading.Event(), threading.Event()

    def stop_responding(*_):
        asleep.set()
        assert go_on.wait(DEADLINE_SECONDS)

    with ThreadPoolExecutor(1) as pool, monkeypatch.context() as patch:
        patch.setattr(batches, "write_leads", stop_responding)
        silent = pool.submit(run_and_disconnect, lambda: drain(max_parallel=1))
        assert asleep.wait(DEADLINE_SECONDS)
        patch.undo()
        eventually(
            lambda: drain(max_parallel=1) == BatchOutcome(processed=1), seconds=DEADLINE_SECONDS
        )
        go_on.set()
        with pytest.raises(Error):
            silent.result(DEADLINE_SECONDS)
    assert Lead.objects.get().submissions_count == 1


def test_lead_that_is_being_closed_gets_no_more_submissions(contact_form):
    lead = make_lead(contact=Contact.objects.create(email="ada@example.com"))
    Identity.objects.create(contact=lead.contact, kind="email", value="ada@example.com")
    make_submissions(contact_form, [{"email": "ada@example.com"}])
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            services.move(lead, Stage.objects.get(name="Lost"), actor=make_user())
            draining = pool.submit(run_and_disconnect, drain)
            eventually(is_a_session_blocked, seconds=DEADLINE_SECONDS)
        assert draining.result(DEADLINE_SECONDS) == BatchOutcome(processed=1)
    lead.refresh_from_db()
    assert (lead.is_open, lead.submissions_count) == (False, 0)
    assert Lead.objects.open().get().contact == lead.contact


def test_concurrent_acts_of_two_people_both_take_effect():
    lead, actor = make_lead(), make_user()
    won = Stage.objects.get(name="Won")
    together(
        [
            lambda: services.move(Lead.objects.get(pk=lead.pk), won, actor=actor),
            lambda: services.assign(Lead.objects.get(pk=lead.pk), actor, actor=actor),
            lambda: services.add_note(Lead.objects.get(pk=lead.pk), "Signed.", actor=actor),
        ]
    )
    lead.refresh_from_db()
    assert (lead.stage, lead.owner, lead.status) == (won, actor, "converted")
    assert Event.objects.about(lead).count() == 3


def test_bulk_acts_at_once_do_each_row_once():
    actor = make_user()
    leads = [make_lead() for _ in range(20)]
    keys = [lead.pk for lead in leads]
    tasks = [lead.tasks.create(title="Call").pk for lead in leads]

    changed = together(
        [
            lambda: assign_leads(keys, actor, actor=actor),
            lambda: assign_leads(keys[::-1], actor, actor=actor),
            lambda: complete_tasks(tasks, actor=actor),
            lambda: complete_tasks(tasks[::-1], actor=actor),
        ]
    )

    assert sum(changed[:2]) == sum(changed[2:]) == 20
    assert Event.objects.filter(kind="lead.assigned").count() == 20
    assert Event.objects.filter(kind="lead.task_completed").count() == 20


def test_lead_in_a_changed_stage_keeps_its_type():
    lead, actor = make_lead(), make_user()
    talking = Stage.objects.get(name="Talking")
    edits = RowEdits(changed={talking.pk: {"type": "won"}})

    def change_type():
        try:
            record_services.update_pipeline(talking.pipeline, {}, edits, actor=actor)
        except ValidationError as error:
            return error.messages
        return []

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            services.move(lead, Stage.objects.get(name="Talking"), actor=actor)
            changed = pool.submit(run_and_disconnect, change_type)
            eventually(is_a_session_blocked, seconds=DEADLINE_SECONDS)
        assert "1 lead is in the stage “Talking”." in str(changed.result(DEADLINE_SECONDS))
    lead.refresh_from_db()
    assert (lead.is_open, lead.stage.type) == (True, "open")


def test_lead_entering_a_changed_stage_gets_its_new_type():
    lead, actor = make_lead(), make_user()
    stale = Stage.objects.get(name="Talking")
    edits = RowEdits(changed={stale.pk: {"type": "won"}})
    record_services.update_pipeline(stale.pipeline, {}, edits, actor=actor)
    services.move(lead, stale, actor=actor)
    lead.refresh_from_db()
    assert (lead.is_open, lead.status) == (False, Lead.Status.CONVERTED)
