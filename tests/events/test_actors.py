import pytest

from leadgen.events.actors import SYSTEM, Actor, ActorType
from leadgen.events.models import Event
from leadgen.events.services import Fact, emit, emit_many
from leadgen.leads.timeline import describe
from tests.factories import make_lead, make_team, make_user

pytestmark = pytest.mark.django_db

KEY = Actor(ActorType.API_KEY, "key_7", "Zapier")


def stored(event: Event) -> Event:
    return Event.objects.get(pk=event.pk)


def test_user_is_written_to_both_columns():
    user = make_user(name="Ada Owner")
    event = stored(emit("team.added", make_team(), actor=user))
    assert event.actor == user
    assert event.author == Actor(ActorType.USER, str(user.pk), "Ada Owner")


def test_bulk_events_have_their_actor():
    user, team = make_user(name="Ada Owner"), make_team()
    for actor, expected in ((user, Actor.of_user(user)), (KEY, KEY), (None, SYSTEM)):
        keys = emit_many([Fact("team.added", team)] * 2, actor=actor)
        assert [event.author for event in Event.objects.filter(pk__in=keys)] == [expected] * 2


def test_actor_that_is_no_user_leaves_the_former_column_empty():
    event = stored(emit("team.added", make_team(), actor=KEY))
    assert event.actor is None
    assert event.author == KEY


def test_label_stays_as_it_was_when_the_user_is_renamed():
    user = make_user(name="Ada Owner")
    event = emit("team.added", make_team(), actor=user)
    type(user).objects.filter(pk=user.pk).update(name="Ada Byron")
    assert stored(event).author.label == "Ada Owner"


@pytest.mark.parametrize("has_user", [True, False])
def test_actor_of_an_older_event_is_read_from_the_old_column(has_user):
    user = make_user(name="Ada Owner") if has_user else None
    event = stored(
        Event.objects.create(
            kind="lead.created", actor=user, subject_type="lead", subject_id="1", data={}
        )
    )
    assert event.author == (Actor.of_user(user) if user else SYSTEM)
    names = {user.pk: user.name} if user else {}
    assert describe(event, names).actor == ("Ada Owner" if user else "")


def test_timeline_shows_the_label():
    lead = make_lead()
    event = stored(emit("lead.note_added", lead, actor=KEY, data={"note": 1, "excerpt": "x"}))
    assert describe(event, {}).actor == "Zapier"
    assert describe(stored(emit("lead.created", lead)), {}).actor == ""


def test_audit_page_shows_the_label(admin_page):
    emit("team.added", make_team(), actor=KEY)
    assert "Zapier" in admin_page("/admin/events/event/")


@pytest.fixture
def admin_page(client):
    from leadgen.accounts.roles import Role

    client.force_login(make_user(role=Role.ADMIN))
    return lambda address: client.get(address).content.decode()
