"""Catalogue of event kinds: name, payload, version, and whether integrations may receive it.

``emit`` refuses a kind that is not declared here, and data that differs from its payload. A payload
only gains keys within a version, and a key that an event lacks is optional: older events of the log
stay readable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

import msgspec

Payload = type[TypedDict]  # type: ignore[valid-type]  # a TypedDict class has no other type


class Nothing(TypedDict):
    """No data beside the subject and the actor."""


class Origin(TypedDict, total=False):
    receipt: str
    form: str
    source: str
    medium: str
    campaign: str


class SubmissionAdded(Origin, total=False):
    message: str
    changed: dict[str, str]
    possible_duplicate: int
    new_message: bool  # the first message since the last act of a person


class Reversible(TypedDict, total=False):
    """``undo`` holds what the act overwrote; ``undo_of`` the id of the event that is undone."""

    undo: dict[str, Any]
    undo_of: int


class Assigned(Reversible, total=False):
    owner: int | None
    previous: int | None
    by: str


# Written as a call, since ``from`` is a word of the language.
StageChanged = TypedDict(
    "StageChanged",
    {
        "from": str,
        "to": str,
        "stage": int,
        "type": str,
        "undo": dict[str, Any],
        "undo_of": int,
    },
    total=False,
)


class NoteAdded(TypedDict):
    note: int
    excerpt: str


class TaskOfLead(Reversible, total=False):
    task: int
    title: str
    due_at: str | None
    owner: int | None
    previous: int | None


class TeamChanged(TypedDict):
    team: int | None
    name: str


class Reasons(TypedDict, total=False):
    reasons: list[str]


class Parked(TypedDict):
    error: str


class Published(TypedDict, total=False):
    version: int
    fields: int


class LogIn(TypedDict):
    network: str


class RefusedRequest(TypedDict):
    network: str
    path: str


class Changes(TypedDict):
    """Names of the changed fields; events before 0.1 may hold Django's messages instead."""

    changes: list[str]


class FormChanges(Changes, total=False):
    """Also the names of the draft's fields that were added, changed and deleted."""

    fields_added: list[str]
    fields_changed: list[str]
    fields_deleted: list[str]


AddressChanged = TypedDict("AddressChanged", {"from": str, "to": str})


class Erased(TypedDict):
    """Numbers of erased rows; the event of an erasure holds no personal data."""

    leads: int
    submissions: int


class Deleted(TypedDict):
    name: str


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of event: ``name`` is ``<noun>.<past participle>``."""

    name: str
    payload: Payload
    is_public: bool = False
    version: int = 1


class UndeclaredKindError(LookupError):
    """An event of a kind that the catalogue does not declare."""


class InvalidPayloadError(ValueError):
    """The data of an event differs from the payload type of its kind."""


_PUBLIC = {
    "submission.held": Reasons,
    "submission.released": Reasons,
    "submission.retried": Nothing,
    "submission.parked": Parked,
    "submission.erased": Nothing,
    "lead.created": Origin,
    "lead.submission_added": SubmissionAdded,
    "lead.assigned": Assigned,
    "lead.stage_changed": StageChanged,
    "lead.note_added": NoteAdded,
    "lead.team_changed": TeamChanged,
    "lead.task_added": TaskOfLead,
    "lead.task_assigned": TaskOfLead,
    "lead.task_completed": TaskOfLead,
    "lead.task_reopened": TaskOfLead,
    "lead.erased": Nothing,
    "contact.changed": Changes,
    "contact.erased": Erased,
    "company.changed": Changes,
    "company.deleted": Deleted,
    "form.published": Published,
    "form.unpublished": Published,
}
_INTERNAL = {
    "campaign.added": Nothing,
    "campaign.changed": Changes,
    "campaign.deleted": Deleted,
    "form.added": Nothing,
    "form.changed": FormChanges,
    "form.address_changed": AddressChanged,
    "form.deleted": Deleted,
    "pipeline.added": Nothing,
    "pipeline.changed": Changes,
    "pipeline.deleted": Deleted,
    "stage.added": Nothing,
    "stage.changed": Changes,
    "stage.deleted": Deleted,
    "task.changed": Changes,
    "task.deleted": Deleted,
    "team.added": Nothing,
    "team.changed": Changes,
    "team.deleted": Deleted,
    "user.added": Nothing,
    "user.changed": Changes,
    "user.logged_in": LogIn,
    "user.password_reset": Nothing,
    "user.password_reset_requested": Nothing,
    "login.failed": LogIn,
    "login.limited": LogIn,
    "access.refused": RefusedRequest,
}

KINDS: dict[str, EventKind] = {
    **{name: EventKind(name, payload, is_public=True) for name, payload in _PUBLIC.items()},
    **{name: EventKind(name, payload) for name, payload in _INTERNAL.items()},
}


def check(name: str, data: Mapping[str, Any]) -> None:
    """Raise UndeclaredKindError for an undeclared kind, InvalidPayloadError for other data.

    Costs about 2 µs an event: msgspec reads the types of a payload once.
    """
    if name not in KINDS:
        raise UndeclaredKindError(f"{name} is no kind of event: declare it in events/kinds.py.")
    payload = KINDS[name].payload
    if unknown := data.keys() - payload.__annotations__.keys():
        keys = ", ".join(sorted(unknown))
        raise InvalidPayloadError(f"{name}: {payload.__name__} in events/kinds.py lacks {keys}.")
    try:
        msgspec.convert(data, payload)
    except msgspec.ValidationError as error:
        raise InvalidPayloadError(f"{name}: {error}.") from error
