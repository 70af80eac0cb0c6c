from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from leadgen.accounts.roles import Role
from leadgen.events.actors import SYSTEM, Actor, ActorType
from leadgen.events.models import Event
from leadgen.leads import services
from leadgen.leads.models import Lead, Note, Pipeline, Stage, Task
from tests.factories import make_lead, make_team, make_user

pytestmark = pytest.mark.django_db


def stage(name):
    return Stage.objects.get(name=name, pipeline__name="Sales")


def last_event(lead):
    return Event.objects.about(lead).latest("id")


@pytest.mark.parametrize(
    ("name", "status", "closed"),
    [("Talking", "working", False), ("Won", "converted", True), ("Lost", "disqualified", True)],
)
def test_the_type_of_the_stage_decides_status_and_closing(name, status, closed):
    lead = make_lead()
    services.move(lead, stage(name), actor=make_user())
    lead.refresh_from_db()
    assert (lead.status, not lead.is_open, lead.stage.name) == (status, closed, name)


def test_an_open_stage_opens_a_closed_lead_again():
    lead, actor = make_lead(), make_user()
    services.move(lead, stage("Lost"), actor=actor)
    services.move(lead, stage("Talking"), actor=actor)
    lead.refresh_from_db()
    assert lead.is_open
    assert lead.status == Lead.Status.WORKING


def test_qualified_lead_stays_qualified_in_open_stages():
    lead = make_lead(status="qualified")
    services.move(lead, stage("Talking"), actor=make_user())
    assert lead.status == "qualified"


def test_stage_change_event_names_both_stages_and_the_actor():
    lead, actor = make_lead(), make_user()
    services.move(lead, stage("Won"), actor=actor)
    event = last_event(lead)
    assert (event.kind, event.actor) == ("lead.stage_changed", actor)
    assert (event.data["from"], event.data["to"], event.data["type"]) == ("New", "Won", "won")


def test_the_same_stage_again_changes_nothing():
    lead = make_lead()
    services.move(lead, lead.stage, actor=make_user())
    assert not Event.objects.about(lead).exists()
    assert lead.first_response_at is None


def test_a_stage_of_another_pipeline_is_refused_by_name():
    lead = make_lead()
    other = Stage.objects.create(pipeline=Pipeline.objects.create(name="Partners"), name="Intro")
    with pytest.raises(ValidationError, match="Intro is not a stage of the pipeline Sales"):
        services.move(lead, other, actor=make_user())


def test_stale_copy_of_a_lead_cannot_undo_a_later_change():
    lead, owner = make_lead(), make_user()
    stale = Lead.objects.get(pk=lead.pk)
    services.move(lead, stage("Won"), actor=owner)
    services.assign(stale, owner, actor=owner)
    lead.refresh_from_db()
    assert (lead.stage.name, lead.owner) == ("Won", owner)


def test_an_assigned_lead_belongs_to_the_owners_team():
    owner = make_user(team=make_team())
    lead = make_lead()
    services.assign(lead, owner, actor=make_user())
    lead.refresh_from_db()
    assert (lead.owner, lead.team, lead.status) == (owner, owner.team, "assigned")
    data = last_event(lead).data
    assert (data["owner"], data["previous"]) == (owner.pk, None)


def test_a_lead_without_owner_stays_with_its_team():
    owner = make_user(team=make_team())
    lead = make_lead(owner, status="assigned")
    services.assign(lead, None, actor=owner)
    lead.refresh_from_db()
    assert (lead.owner, lead.team, lead.status) == (None, owner.team, "new")


def test_assigning_to_the_same_owner_changes_nothing():
    owner = make_user()
    lead = make_lead(owner)
    services.assign(lead, owner, actor=owner)
    assert not Event.objects.about(lead).exists()


def test_deactivated_person_gets_no_lead_and_no_task():
    gone, actor, lead = make_user(is_active=False), make_user(), make_lead()
    with pytest.raises(ValidationError, match="is deactivated"):
        services.assign(lead, gone, actor=actor)
    with pytest.raises(ValidationError, match="is deactivated"):
        services.add_task(lead, "Call", due_at=None, owner=gone, actor=actor)


def test_note_is_trimmed_and_shown_on_the_timeline():
    lead, actor = make_lead(), make_user()
    note = services.add_note(lead, "  Wants a quote.  ", actor=actor)
    assert (note.body, note.author) == ("Wants a quote.", actor)
    assert last_event(lead).data == {"note": note.pk, "excerpt": "Wants a quote."}


@pytest.mark.parametrize(
    ("body", "message"),
    [("  \n", "Write something"), ("x" * 10_001, "at most 10,000"), ("a\0b", "null character")],
)
def test_invalid_note_is_refused_with_the_reason(body, message):
    with pytest.raises(ValidationError, match=message):
        services.add_note(make_lead(), body, actor=make_user())
    assert not Note.objects.exists()


def test_event_of_a_long_note_has_an_excerpt():
    lead = make_lead()
    services.add_note(lead, "word " * 200, actor=make_user())
    excerpt = last_event(lead).data["excerpt"]
    assert len(excerpt) <= 280
    assert excerpt.endswith("word…")


def test_a_task_is_the_actors_own_unless_another_owner_is_named():
    lead, actor, other = make_lead(), make_user(), make_user(Role.ADMIN)
    due = datetime(2030, 1, 2, 9, tzinfo=UTC)
    mine = services.add_task(lead, "Call back", due_at=due, owner=None, actor=actor)
    theirs = services.add_task(lead, "Send offer", due_at=None, owner=other, actor=actor)
    assert (mine.owner, mine.due_at, theirs.owner, theirs.created_by) == (actor, due, other, actor)
    assert last_event(lead).data["title"] == "Send offer"


def test_a_task_is_done_once_and_can_be_opened_again():
    actor = make_user()
    lead = make_lead(actor)
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=actor)
    for verb in (services.complete_task, services.complete_task, services.reopen_task):
        verb(task, actor=actor)
    kinds = Event.objects.about(lead).order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["lead.task_added", "lead.task_completed", "lead.task_reopened"]
    assert Task.objects.get().done_at is None


def test_first_note_sets_the_first_response_once():
    lead, actor = make_lead(status="assigned"), make_user()
    services.add_note(lead, "Called, no answer.", actor=actor)
    first = lead.first_response_at
    services.add_note(lead, "Reached her.", actor=actor)
    lead.refresh_from_db()
    assert (lead.first_response_at, lead.status) == (first, "working")
    assert first is not None


def test_completed_task_is_a_response_and_a_planned_one_is_not():
    lead, actor = make_lead(), make_user()
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=actor)
    assert lead.first_response_at is None
    services.complete_task(task, actor=actor)
    lead.refresh_from_db()
    assert lead.first_response_at is not None


def test_acts_on_a_lead_set_its_last_activity():
    lead = make_lead(last_activity_at=timezone.now() - timedelta(days=9))
    services.add_note(lead, "Hello", actor=make_user())
    lead.refresh_from_db()
    assert lead.last_activity_at > timezone.now() - timedelta(minutes=1)


def test_task_verbs_emit_their_events():
    lead, actor = make_lead(), make_user()
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=actor)
    services.update_task(task, {"title": " Call back ", "owner": actor}, actor=actor)
    services.update_task(task, {"title": "Call back"}, actor=actor)
    key = str(task.pk)
    services.delete_task(task, actor=actor)
    log = Event.objects.filter(subject_type="task").order_by("id")
    assert list(log.values_list("kind", "subject_id", "data")) == [
        ("task.changed", key, {"changes": ["title"]}),
        ("task.deleted", key, {"name": "Call back"}),
    ]
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    "values",
    [{"title": "  "}, {"due_at": datetime(9999, 12, 31, 23, 59, tzinfo=UTC)}, {"owner": "gone"}],
)
def test_refused_value_of_a_task_changes_nothing(values):
    actor = make_user()
    task = services.add_task(make_lead(), "Call", due_at=None, owner=None, actor=actor)
    if values.get("owner"):
        values = {"owner": make_user(is_active=False)}
    with pytest.raises(ValidationError) as refusal:
        services.update_task(task, values, actor=actor)
    assert list(refusal.value.message_dict) == list(values)
    stored = Task.objects.get(pk=task.pk)
    assert (stored.title, stored.due_at, stored.owner) == ("Call", None, actor)
    assert not Event.objects.filter(kind="task.changed").exists()


@pytest.mark.parametrize("kind", [ActorType.API_KEY, ActorType.AUTOMATION, ActorType.IMPORT])
def test_act_of_a_program_is_no_response(kind):
    lead, program = make_lead(), Actor(kind, "7", "Nightly sync")
    services.add_note(lead, "Imported.", actor=program)
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=program)
    services.complete_task(task, actor=program)
    services.move(lead, stage("Talking"), actor=program)
    lead.refresh_from_db()
    assert (lead.first_response_at, lead.status) == (None, Lead.Status.WORKING)
    assert (task.owner, task.created_by, Note.objects.get().author) == (None, None, None)
    assert {event.author for event in Event.objects.all()} == {program}


def test_system_assigns_a_lead():
    lead, owner = make_lead(), make_user()
    services.assign(lead, owner, actor=None)
    assert last_event(lead).author == SYSTEM


def test_line_breaks_of_a_note_count_once():
    typed = "line\r\n" * 1999 + "12345"
    assert services.add_note(make_lead(), typed, actor=make_user()).body == typed.replace("\r", "")
