"""Timeline wording: an event as an icon, a sentence and a detail; no database access."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leadgen.events.actors import ActorType

if TYPE_CHECKING:
    from datetime import datetime

    from leadgen.events.models import Event

Data = Mapping[str, Any]
Names = Mapping[int, str]


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One line: the icon is a Material Symbol's name; actor is empty for Leadgen itself."""

    icon: str
    text: str
    detail: str
    at: datetime
    actor: str


def describe(event: Event, names: Names) -> TimelineItem:
    """Describe one event; ``names`` are the names by id of the users that ``people`` returns."""
    icon, word = _WORDING.get(event.kind, ("info", _unknown))
    text, detail = word(event.data, names)
    return TimelineItem(icon, text or _plain(event.kind), detail, event.at, _actor(event, names))


def _actor(event: Event, names: Names) -> str:
    if event.actor_type is not None:
        return "" if event.actor_type == ActorType.SYSTEM else event.actor_label or ""
    return _name(event.actor_id, names) if event.actor_id else ""


def people(events: Iterable[Event]) -> set[int]:
    """Return the ids of all users whose names the lines of these events need."""
    user_ids: set[int] = set()
    for event in events:
        values = (event.actor_id, event.data.get("owner"), event.data.get("previous"))
        user_ids |= {value for value in values if isinstance(value, int) and value}
    return user_ids


def _created(data: Data, names: Names) -> tuple[str, str]:
    return f"Lead created from {_form(data)}", _origin(data)


def _submission_added(data: Data, names: Names) -> tuple[str, str]:
    parts = [
        str(data.get("message", "")),
        *(f"{_LABELS.get(key, key)}: {value}" for key, value in data.get("changed", {}).items()),
        "The phone number belongs to another contact: possibly the same person."
        if data.get("possible_duplicate")
        else "",
    ]
    return f"Sent {_form(data)}", "\n".join(filter(None, parts))


def _assigned(data: Data, names: Names) -> tuple[str, str]:
    if not data.get("owner"):
        previous = data.get("previous")
        return "Owner removed", f"Was {_name(previous, names)}" if previous else ""
    detail = "In turn, by round robin" if data.get("by") == "round robin" else ""
    return f"Assigned to {_name(data['owner'], names)}", detail


def _stage_changed(data: Data, names: Names) -> tuple[str, str]:
    verb = {"won": "Won", "lost": "Lost"}.get(data.get("type", ""), "Moved")
    return f"{verb}: {data.get('from', '?')} → {data.get('to', '?')}", ""


def _note_added(data: Data, names: Names) -> tuple[str, str]:
    return "Note", str(data.get("excerpt", ""))


def _task_added(data: Data, names: Names) -> tuple[str, str]:
    owner = data.get("owner")
    return f"Task: {_title(data)}", f"For {_name(owner, names)}" if owner else ""


def _task_completed(data: Data, names: Names) -> tuple[str, str]:
    return f"Task done: {_title(data)}", ""


def _task_reopened(data: Data, names: Names) -> tuple[str, str]:
    return f"Task open again: {_title(data)}", ""


def _unknown(data: Data, names: Names) -> tuple[str, str]:
    return "", ""


_WORDING: dict[str, tuple[str, Callable[[Data, Names], tuple[str, str]]]] = {
    "lead.created": ("add_circle", _created),
    "lead.submission_added": ("mail", _submission_added),
    "lead.assigned": ("person", _assigned),
    "lead.stage_changed": ("arrow_forward", _stage_changed),
    "lead.note_added": ("sticky_note_2", _note_added),
    "lead.task_added": ("add_task", _task_added),
    "lead.task_completed": ("task_alt", _task_completed),
    "lead.task_reopened": ("undo", _task_reopened),
}

_LABELS = {
    "name": "Other name",
    "email": "Other email",
    "phone": "Other phone",
    "company": "Other company",
    "job_title": "Other job title",
    "country": "Other country",
}


def _form(data: Data) -> str:
    return f"the form “{data['form']}”" if data.get("form") else "a form"


def _origin(data: Data) -> str:
    where = " / ".join(filter(None, (data.get("source"), data.get("medium"))))
    campaign = f"campaign {data['campaign']}" if data.get("campaign") else ""
    return ", ".join(filter(None, (where, campaign)))


def _title(data: Data) -> str:
    return str(data.get("title", ""))


def _name(person: Any, names: Names) -> str:
    return names.get(person) or "an unknown person"


def _plain(kind: str) -> str:
    # A kind of a newer release, unknown here, is still shown as words.
    return kind.replace(".", " ").replace("_", " ").capitalize()
