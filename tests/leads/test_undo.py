from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from leadgen.accounts.models import Notification
from leadgen.events.models import Event
from leadgen.leads import bulk_services, handlers, services
from leadgen.leads.history.undo import undo
from leadgen.leads.models import Lead, Stage
from tests.factories import make_lead, make_team, make_user

pytestmark = pytest.mark.django_db

COLUMNS = [
    field.attname for field in Lead._meta.concrete_fields if field.attname not in ("id", "contact")
]


def stage(name):
    return Stage.objects.get(name=name, pipeline__name="Sales")


def columns(lead):
    return Lead.objects.values(*COLUMNS).get(pk=lead.pk)


@pytest.fixture
def rep():
    return make_user(name="Anna Rep", team=make_team())


@pytest.fixture
def lead(rep):
    past = timezone.now() - timedelta(days=2)
    return make_lead(rep, created_at=past, last_activity_at=past)


@pytest.mark.parametrize("name", ["Talking", "Won", "Lost"])
@pytest.mark.parametrize("status", ["new", "assigned", "working", "qualified"])
def test_undo_of_a_move_restores_every_column(lead, rep, name, status):
    Lead.objects.update(status=status)
    before = columns(lead)
    event = services.move(lead, stage(name), actor=rep)
    assert undo(lead, event or 0, actor=rep) == "Moved back to New."
    assert columns(lead) == before
    assert lead in Lead.objects.unanswered()


@pytest.mark.parametrize("name", ["Talking", "Won"])
def test_undo_of_reopening_closes_as_it_was(lead, rep, name):
    services.move(lead, stage("Lost"), actor=rep)
    before = columns(lead)
    event = services.move(lead, stage(name), actor=rep)
    undo(lead, event or 0, actor=rep)
    assert columns(lead) == before


def test_undo_of_an_assignment_restores_owner_team_and_status(lead, rep):
    before = columns(lead)
    other = make_user(team=make_team())
    for owner in (other, None):
        event = services.assign(lead, owner, actor=rep)
        undo(lead, event or 0, actor=rep)
        assert columns(lead) == before


def test_undo_of_a_completed_task_restores_lead_and_task(lead, rep):
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=rep)
    before = columns(lead)
    event = services.complete_task(task, actor=rep)
    assert undo(lead, event or 0, actor=rep) == "Task reopened."
    task.refresh_from_db()
    assert task.done_at is None
    assert columns(lead) == before


def test_undo_of_a_task_keeps_a_colleagues_later_move(lead, rep):
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=rep)
    event = services.complete_task(task, actor=rep)
    services.move(lead, stage("Won"), actor=make_user())
    moved = Event.objects.get(kind="lead.stage_changed")
    undo(lead, event or 0, actor=rep)
    lead.refresh_from_db()
    assert (lead.stage.name, lead.status) == ("Won", "converted")
    assert lead.first_response_at == moved.at


def test_a_note_written_later_becomes_the_first_response(lead, rep):
    event = services.move(lead, stage("Lost"), actor=rep)
    services.add_note(lead, "Called", actor=make_user())
    noted = Event.objects.get(kind="lead.note_added")
    undo(lead, event or 0, actor=rep)
    lead.refresh_from_db()
    assert (lead.first_response_at, lead.status, lead.closed_at) == (noted.at, "working", None)
    assert lead.last_activity_at > lead.created_at + timedelta(days=1)


def test_an_earlier_response_is_kept(lead, rep):
    services.add_note(lead, "Called", actor=rep)
    before = columns(lead)
    event = services.move(lead, stage("Lost"), actor=rep)
    undo(lead, event or 0, actor=rep)
    assert columns(lead) == before


def test_two_undone_acts_leave_no_response(lead, rep):
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=rep)
    done = services.complete_task(task, actor=rep)
    moved = services.move(lead, stage("Talking"), actor=rep)
    undo(lead, done or 0, actor=rep)
    undo(lead, moved or 0, actor=rep)
    lead.refresh_from_db()
    assert (lead.first_response_at, lead.stage.name, lead.status) == (None, "New", "assigned")


@pytest.mark.parametrize("back", [False, True])
def test_a_colleagues_later_move_is_not_undone(lead, rep, back):
    event = services.move(lead, stage("Talking"), actor=rep)
    bob = make_user(name="Bob Colleague")
    services.move(lead, stage("Won"), actor=bob)
    if back:
        services.move(lead, stage("Talking"), actor=bob)
    before = columns(lead)
    with pytest.raises(ValidationError, match="Bob Colleague moved this lead to"):
        undo(lead, event or 0, actor=rep)
    assert columns(lead) == before


def test_a_colleagues_later_assignment_is_not_undone(lead, rep):
    event = services.assign(lead, None, actor=rep)
    services.assign(lead, make_user(), actor=make_user(name="Bob Colleague"))
    with pytest.raises(ValidationError, match="Bob Colleague changed the owner"):
        undo(lead, event or 0, actor=rep)


def test_undo_of_one_kind_keeps_later_acts_of_another(lead, rep):
    event = services.move(lead, stage("Talking"), actor=rep)
    other = make_user()
    services.assign(lead, other, actor=make_user())
    undo(lead, event or 0, actor=rep)
    lead.refresh_from_db()
    assert (lead.owner, lead.stage.name, lead.first_response_at) == (other, "New", None)


def test_undo_twice_undoes_once(lead, rep):
    event = services.move(lead, stage("Talking"), actor=rep)
    undo(lead, event or 0, actor=rep)
    with pytest.raises(ValidationError, match="Anna Rep moved this lead to New"):
        undo(lead, event or 0, actor=rep)
    assert Event.objects.filter(kind="lead.stage_changed").count() == 2


def test_undo_of_another_user_or_lead_is_refused(lead, rep):
    event = services.move(lead, stage("Talking"), actor=rep)
    with pytest.raises(ValidationError, match="cannot be undone"):
        undo(lead, event or 0, actor=make_user())
    with pytest.raises(ValidationError, match="cannot be undone"):
        undo(make_lead(rep), event or 0, actor=rep)
    with pytest.raises(ValidationError, match="cannot be undone"):
        undo(lead, 0, actor=rep)


def test_undo_to_a_deactivated_owner_is_refused(lead, rep):
    boss = make_user()
    event = services.assign(lead, boss, actor=boss)
    rep.is_active = False
    rep.save()
    with pytest.raises(ValidationError, match="Anna Rep is deactivated"):
        undo(lead, event or 0, actor=boss)
    lead.refresh_from_db()
    assert lead.owner == boss


def test_undo_to_a_stage_that_changed_its_type_is_refused(lead, rep):
    event = services.move(lead, stage("Talking"), actor=rep)
    Stage.objects.filter(name="New").update(type="lost")
    with pytest.raises(ValidationError, match="The stage New was changed or removed"):
        undo(lead, event or 0, actor=rep)


def test_a_submission_between_act_and_undo_is_kept(lead, rep):
    event = services.move(lead, stage("Lost"), actor=rep)
    now = timezone.now()
    Lead.objects.update(submissions_count=2, last_activity_at=now, message="Second")
    undo(lead, event or 0, actor=rep)
    lead.refresh_from_db()
    assert (lead.submissions_count, lead.last_activity_at, lead.message) == (2, now, "Second")


def test_reopening_a_task_withdraws_its_response(lead, rep):
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=rep)
    bulk_services.complete_tasks([task.pk], actor=rep)
    task.refresh_from_db()
    services.reopen_task(task, actor=rep)
    lead.refresh_from_db()
    assert (lead.first_response_at, lead.status) == (None, "new")
    assert lead in Lead.objects.unanswered()


def test_reopened_task_of_an_older_release_keeps_response(lead, rep):
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=rep)
    services.complete_task(task, actor=rep)
    Event.objects.filter(kind="lead.task_completed").update(data={"task": task.pk})
    task.refresh_from_db()
    services.reopen_task(task, actor=rep)
    lead.refresh_from_db()
    assert lead.first_response_at


def test_a_move_from_an_older_page_is_refused(lead, rep):
    services.move(lead, stage("Won"), actor=make_user(name="Bob Colleague"))
    with pytest.raises(ValidationError, match="Bob Colleague moved this lead to Won"):
        services.move(lead, stage("Talking"), actor=rep, seen=stage("New").pk)
    lead.refresh_from_db()
    assert lead.stage.name == "Won"


def test_undo_of_an_assignment_causes_no_mail(lead, rep):
    boss = make_user()
    event = services.assign(lead, boss, actor=boss)
    undo(lead, event or 0, actor=boss)
    handlers.on_lead_assigned(Event.objects.filter(kind="lead.assigned").latest("pk"))
    assert not Notification.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_undo_of_an_assignment_moves_only_the_tasks_it_moved(lead, rep):
    colleague = make_user(name="Bert", team=rep.team, visibility="all")
    mine = services.add_task(lead, "Call", due_at=None, owner=rep, actor=rep)
    theirs = services.add_task(lead, "Price", due_at=None, owner=colleague, actor=rep)
    event = services.assign(lead, colleague, actor=rep)
    later = services.add_task(lead, "Visit", due_at=None, owner=colleague, actor=colleague)
    undo(lead, event or 0, actor=rep)
    owners = {task.pk: task.owner for task in lead.tasks.all()}
    assert owners == {mine.pk: rep, theirs.pk: colleague, later.pk: colleague}


@pytest.mark.django_db(transaction=True)
def test_undo_of_an_assignment_survives_a_deleted_team(rep):
    team = make_team()
    lead = make_lead(team=team)
    event = services.assign(lead, rep, actor=rep)
    team.delete()
    assert undo(lead, event or 0, actor=rep) == "This lead has no owner again."
    lead.refresh_from_db()
    assert (lead.owner, lead.team) == (None, None)


def test_undo_of_an_assignment_takes_the_owners_team_of_today(lead, rep):
    event = services.assign(lead, make_user(team=make_team()), actor=rep)
    rep.team = make_team()
    rep.save()
    undo(lead, event or 0, actor=rep)
    lead.refresh_from_db()
    assert (lead.owner, lead.team) == (rep, rep.team)


def test_undo_of_a_completed_task_gives_it_to_who_may_work_it(lead, rep):
    colleague = make_user(team=rep.team, visibility="all")
    task = services.add_task(lead, "Call", due_at=None, owner=colleague, actor=rep)
    event = services.complete_task(task, actor=rep)
    colleague.is_active = False
    colleague.save()
    undo(lead, event or 0, actor=rep)
    task.refresh_from_db()
    assert (task.done_at, task.owner) == (None, rep)
