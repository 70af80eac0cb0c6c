from datetime import UTC, datetime

import pytest

from leadgen.events.models import Event
from leadgen.leads import timeline

AT = datetime(2030, 1, 2, 9, tzinfo=UTC)
NAMES = {1: "Ada", 2: "Grace"}


def line(kind, data=None, actor=None):
    return timeline.describe(Event(kind=kind, data=data or {}, actor_id=actor, at=AT), NAMES)


@pytest.mark.parametrize(
    ("kind", "data", "text", "detail"),
    [
        (
            "lead.created",
            {"form": "Contact", "source": "google", "medium": "cpc", "campaign": "Spring"},
            "Lead created from the form “Contact”",
            "google / cpc, campaign Spring",
        ),
        ("lead.created", {}, "Lead created from a form", ""),
        ("lead.submission_added", {"form": "Contact"}, "Sent the form “Contact”", ""),
        (
            "lead.submission_added",
            {"form": "Contact", "message": "Again?", "changed": {"phone": "+4930123"}},
            "Sent the form “Contact”",
            "Again?\nOther phone: +4930123",
        ),
        (
            "lead.assigned",
            {"owner": 2, "by": "round robin"},
            "Assigned to Grace",
            "Round robin",
        ),
        ("lead.assigned", {"owner": None, "previous": 2}, "Owner removed", "Was Grace"),
        ("lead.assigned", {"owner": 99}, "Assigned to unknown person", ""),
        ("lead.stage_changed", {"from": "New", "to": "Talking"}, "Moved: New → Talking", ""),
        ("lead.stage_changed", {"from": "New", "to": "Won", "type": "won"}, "Won: New → Won", ""),
        ("lead.note_added", {"excerpt": "Called."}, "Note", "Called."),
        ("lead.task_added", {"title": "Call", "owner": 1}, "Task: Call", "For Ada"),
        ("lead.task_completed", {"title": "Call"}, "Task done: Call", ""),
        ("lead.task_reopened", {"title": "Call"}, "Task reopened: Call", ""),
        ("lead.score_changed", {"to": 9}, "Lead score changed", ""),
    ],
)
def test_every_kind_of_event_reads_as_a_sentence(kind, data, text, detail):
    told = line(kind, data)
    assert (told.text, told.detail, told.at) == (text, detail, AT)
    assert told.icon


def test_timeline_names_a_possible_duplicate():
    told = line("lead.submission_added", {"form": "Contact", "possible_duplicate": 7})
    assert "possibly the same person" in told.detail


def test_item_names_the_actor_and_none_for_leadgen_itself():
    assert line("lead.note_added", actor=1).actor == "Ada"
    assert line("lead.created").actor == ""


def test_timeline_loads_its_actors_and_owners():
    events = [
        Event(kind="lead.assigned", data={"owner": 2, "previous": None}, actor_id=1),
        Event(kind="lead.created", data={"form": "Contact"}),
    ]
    assert timeline.people(events) == {1, 2}
