from datetime import timedelta
from functools import partial
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from leadgen.accounts.models import Team
from leadgen.events.consumers import consume, pipeline, rebase, replay
from leadgen.events.models import Cursor, Event, ParkedEvent
from leadgen.events.services import Fact, emit, emit_many
from leadgen.events.tasks import consume as consume_task
from tests.events.conftest import settle
from tests.factories import make_team, make_user

pytestmark = pytest.mark.django_db(transaction=True)


class Listener:
    """Keeps what it handled; fails on the events it is told to fail on."""

    def __init__(self, *failing: int) -> None:
        self.seen: list[int] = []
        self.failing = set(failing)

    def __call__(self, event: Event) -> None:
        Team.objects.create(name=f"made for {event.pk}")
        if event.pk in self.failing:
            raise ValueError("not today")
        self.seen.append(event.pk)

    __name__ = "listener"

    def read(self, consumer: str = "reader") -> int:
        return consume(consumer, {"team.added": self})


def three_events() -> list[int]:
    team = make_team()
    events = emit_many([Fact("team.added", team)] * 3)
    settle()
    return events


def five_failures(listener):
    for _ in range(5):
        listener.read()
        come_due()


def come_due():
    Cursor.objects.update(next_at=Now())


def test_event_records_actor_kind_and_subject():
    team, actor = make_team(), make_user()
    event = Event.objects.get(
        pk=emit("team.changed", team, actor=actor, data={"changes": ["name"]}).pk
    )
    assert (event.kind, event.actor, event.data) == ("team.changed", actor, {"changes": ["name"]})
    assert list(Event.objects.about(team)) == [event]


def test_events_are_delivered_in_order_and_once():
    events, listener = three_events(), Listener()
    assert listener.read() == 3
    assert listener.read() == 0
    assert listener.seen == events


def test_next_slice_continues_after_the_limit():
    events, listener = three_events(), Listener()
    assert consume("reader", {"team.added": listener}, limit=2) == 2
    assert listener.seen == events[:2]
    listener.read()
    assert listener.seen == events


def test_a_kind_without_handler_is_passed_over():
    three_events()
    assert consume("reader", {}) == 3
    assert consume("reader", {}) == 0


def test_a_new_consumer_reads_from_the_beginning():
    events, first, second = three_events(), Listener(), Listener()
    first.read("first")
    Team.objects.filter(name__startswith="made").delete()
    second.read("second")
    assert second.seen == events


def test_failed_handler_is_rolled_back_and_stops_the_cursor():
    first, second, _ = three_events()
    listener = Listener(second)
    assert listener.read() == 1
    cursor = Cursor.objects.get(consumer="reader")
    assert (cursor.event_id, cursor.attempts) == (first, 1)
    assert cursor.last_error == "ValueError: not today"
    assert not Team.objects.filter(name=f"made for {second}").exists()
    assert Team.objects.filter(name=f"made for {first}").exists()


def test_a_failed_event_is_tried_again_only_after_its_wait():
    events = three_events()
    listener = Listener(events[0])
    listener.read()
    listener.failing.clear()
    assert listener.read() == 0
    come_due()
    assert listener.read() == 3
    assert listener.seen == events


def test_the_wait_is_measured_by_the_clock_of_the_database():
    events = three_events()
    listener = Listener(events[0])
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        listener.read()
        assert listener.read() == 0
    wait = Cursor.objects.get(consumer="reader").next_at - timezone.now()
    assert timedelta(0) < wait < timedelta(seconds=6)


def test_event_is_parked_after_five_failures():
    first, second, third = three_events()
    listener = Listener(first)
    five_failures(listener)
    assert listener.seen == [second, third]
    parked = ParkedEvent.objects.get()
    assert (parked.event_id, parked.error) == (first, "ValueError: not today")


def test_database_error_in_a_handler_affects_one_event():
    three_events()
    make_team("taken")

    def clash(event):
        Team.objects.create(name="taken")

    assert consume("reader", {"team.added": clash}) == 0
    assert IntegrityError.__name__ in Cursor.objects.get(consumer="reader").last_error


def test_replay_repeats_all_events_after_the_given_one():
    events, listener = three_events(), Listener()
    listener.read()
    Team.objects.filter(name__startswith="made").delete()
    replay("reader", after=Event.objects.get(pk=events[0]))
    listener.read()
    assert listener.seen == events + events[1:]


def test_replay_from_the_beginning_repeats_all_events():
    events, listener = three_events(), Listener()
    listener.read()
    Team.objects.filter(name__startswith="made").delete()
    replay("reader")
    listener.read()
    assert listener.seen == events * 2


def test_consumers_continue_after_a_restore_to_a_new_server():
    events, listener = three_events(), Listener()
    consume("reader", {"team.added": listener}, limit=1)
    ahead = 2**60
    Event.objects.update(transaction=F("transaction") + ahead)
    Cursor.objects.update(transaction=F("transaction") + ahead)
    assert listener.read() == 0
    assert rebase() == 3
    later = emit("team.added", make_team())
    settle()
    listener.read()
    assert listener.seen == [*events, later.pk]


def test_log_older_than_this_server_is_unchanged():
    events, listener = three_events(), Listener()
    settle()
    before = list(Event.objects.values_list("pk", "transaction"))
    assert rebase() == 0
    assert list(Event.objects.values_list("pk", "transaction")) == before
    assert listener.read() == 3
    assert listener.seen == events


def test_the_replay_command_names_a_consumer_and_a_place():
    three_events()
    consume("notifications", {})
    call_command("replay", "notifications", stdout=StringIO())
    assert consume("notifications", {}) == 3
    with pytest.raises(CommandError, match="There is no event 7777777"):
        call_command("replay", "notifications", after=7777777)


PIPELINE = {
    "broken": {"team.added": "tests.events.test_consumers.refuse"},
    "sound": {"team.added": "tests.events.test_consumers.name_after"},
}


def refuse(event: Event) -> None:
    raise ValueError("never")


def name_after(event: Event) -> None:
    Team.objects.create(name=f"heard of {event.pk}")


def test_task_runs_every_consumer_although_one_fails(settings):
    settings.EVENT_PIPELINE = "tests.events.test_consumers.PIPELINE"
    three_events()
    assert consume_task() == 3
    assert Team.objects.filter(name__startswith="heard of").count() == 3


def note(called, pattern, event):
    called.append(pattern)


def handled_by(handlers, kind="team.added"):
    """The patterns whose handler is called for one event of the kind."""
    called: list[str] = []
    emit(kind, make_team())
    settle()
    calls = {pattern: partial(note, called, pattern) for pattern in handlers}
    consume(f"reader of {sorted(handlers)}", calls)
    return called


@pytest.mark.parametrize("pattern", ["team.added", "team.*", "*"])
def test_handler_is_found_by_kind_prefix_or_star(pattern):
    assert handled_by([pattern]) == [pattern]


@pytest.mark.parametrize("pattern", ["lead.*", "tea.*", "team", "renamed", ""])
def test_other_patterns_do_not_handle_the_event(pattern):
    assert handled_by([pattern]) == []


@pytest.mark.parametrize(
    ("handlers", "called"),
    [(["*", "team.*", "team.added"], "team.added"), (["*", "team.*"], "team.*")],
)
def test_most_specific_handler_handles_the_event_alone(handlers, called):
    assert handled_by(handlers) == [called]


def test_every_handler_of_the_pipeline_can_be_imported():
    assert all(callable(handler) for kinds in pipeline().values() for handler in kinds.values())
