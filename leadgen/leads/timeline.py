"""Timeline wording: an event as an icon, a sentence and a detail; no database access."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.events.actors import ActorType

if TYPE_CHECKING:
    from datetime import datetime

    from django_stubs_ext import StrPromise

    from leadgen.events.models import Event

Data = Mapping[str, Any]
Names = Mapping[int, str]


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One item: the icon is a Material Symbol's name; actor is empty for Leadgen itself."""

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
    return _with_form(
        data, _("Lead created from the form “%(form)s”"), _("Lead created from a form")
    ), _origin(data)


def _submission_added(data: Data, names: Names) -> tuple[str, str]:
    parts = [
        str(data.get("message", "")),
        *(f"{_LABELS.get(key, key)}: {value}" for key, value in data.get("changed", {}).items()),
        gettext("The phone number belongs to another contact: possibly the same person.")
        if data.get("possible_duplicate")
        else "",
    ]
    heading = _with_form(data, _("Sent the form “%(form)s”"), _("Sent a form"))
    return heading, "\n".join(filter(None, parts))


def _assigned(data: Data, names: Names) -> tuple[str, str]:
    if not data.get("owner"):
        previous = data.get("previous")
        detail = gettext("Was %(name)s") % {"name": _name(previous, names)} if previous else ""
        detail = ", ".join(filter(None, (detail, _undone(data))))
        return gettext("Owner removed"), detail
    detail = gettext("Round robin") if data.get("by") == "round robin" else _undone(data)
    return gettext("Assigned to %(name)s") % {"name": _name(data["owner"], names)}, detail


def _stage_changed(data: Data, names: Names) -> tuple[str, str]:
    template = _MOVED.get(data.get("type", ""), _("Moved: %(from)s → %(to)s"))
    return template % {"from": data.get("from", "?"), "to": data.get("to", "?")}, _undone(data)


def _note_added(data: Data, names: Names) -> tuple[str, str]:
    return gettext("Note"), str(data.get("excerpt", ""))


def _task_added(data: Data, names: Names) -> tuple[str, str]:
    owner = data.get("owner")
    detail = gettext("For %(name)s") % {"name": _name(owner, names)} if owner else ""
    return gettext("Task: %(title)s") % {"title": _title(data)}, detail


def _task_assigned(data: Data, names: Names) -> tuple[str, str]:
    previous = data.get("previous")
    detail = gettext("Was %(name)s") % {"name": _name(previous, names)} if previous else ""
    if not data.get("owner"):
        return gettext("Task without owner: %(title)s") % {"title": _title(data)}, detail
    details = {"name": _name(data["owner"], names), "title": _title(data)}
    return gettext("Task for %(name)s: %(title)s") % details, detail


def _team_changed(data: Data, names: Names) -> tuple[str, str]:
    if not data.get("team"):
        return gettext("No team any more"), ""
    if not data.get("name"):  # an erasure keeps the number only
        return gettext("Moved to another team"), ""
    return gettext("Moved to the team %(name)s") % {"name": data["name"]}, ""


def _task_completed(data: Data, names: Names) -> tuple[str, str]:
    return gettext("Task done: %(title)s") % {"title": _title(data)}, ""


def _task_reopened(data: Data, names: Names) -> tuple[str, str]:
    return gettext("Task reopened: %(title)s") % {"title": _title(data)}, ""


def _erased(data: Data, names: Names) -> tuple[str, str]:
    return gettext("Personal data erased"), ""


def _unknown(data: Data, names: Names) -> tuple[str, str]:
    return "", ""


_WORDING: dict[str, tuple[str, Callable[[Data, Names], tuple[str, str]]]] = {
    "lead.created": ("add_circle", _created),
    "lead.submission_added": ("mail", _submission_added),
    "lead.assigned": ("person", _assigned),
    "lead.stage_changed": ("arrow_forward", _stage_changed),
    "lead.note_added": ("sticky_note_2", _note_added),
    "lead.task_added": ("add_task", _task_added),
    "lead.task_assigned": ("assignment_ind", _task_assigned),
    "lead.team_changed": ("groups", _team_changed),
    "lead.task_completed": ("task_alt", _task_completed),
    "lead.task_reopened": ("undo", _task_reopened),
    "lead.erased": ("delete_forever", _erased),
}

_MOVED = {"won": _("Won: %(from)s → %(to)s"), "lost": _("Lost: %(from)s → %(to)s")}

_LABELS = {
    "name": _("Other name"),
    "email": _("Other email"),
    "phone": _("Other phone"),
    "company": _("Other company"),
    "job_title": _("Other job title"),
    "country": _("Other country"),
}


def _with_form(data: Data, named: StrPromise, unnamed: StrPromise) -> str:
    return named % {"form": data["form"]} if data.get("form") else str(unnamed)


def _origin(data: Data) -> str:
    where = " / ".join(filter(None, (data.get("source"), data.get("medium"))))
    campaign = ""
    if data.get("campaign"):
        campaign = gettext("campaign %(name)s") % {"name": data["campaign"]}
    return ", ".join(filter(None, (where, campaign)))


def _undone(data: Data) -> str:
    return gettext("Undone") if data.get("undo_of") else ""


def _title(data: Data) -> str:
    return str(data.get("title", ""))


def _name(person: Any, names: Names) -> str:
    return names.get(person) or gettext("unknown person")


def _plain(kind: str) -> str:
    # A kind of a newer release, unknown here, is still shown as words.
    return kind.replace(".", " ").replace("_", " ").capitalize()
