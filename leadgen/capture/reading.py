"""A submission as people read it: answers beside the questions as they were asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadgen.forms.definition import Definition, Field

_ORIGIN = {
    "page_url": "Page",
    "landing_page": "Landing page",
    "referrer": "Referrer",
    "at": "At",
    "language": "Language",
    "user_agent": "Browser",
    "address": "Network",
    "channel": "Sent through",
}
_UTM = {"source": "Source", "medium": "Medium", "campaign": "Campaign", "id": "Campaign id"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One question's label and the answer in words; an empty text means it was left out."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """One consent as it was asked and answered."""

    given: bool
    wording: str
    at: datetime | None


def answers_of(definition: Definition, answers: Mapping[str, Any]) -> list[Answer]:
    """Return the answers in the form's order; what the version does not know comes last."""
    asked = {field.name for field in definition.fields}
    known = [
        Answer(field.label, _worded(field, answers.get(field.name)))
        for field in definition.fields
        if field.kind != "consent"
    ]
    return known + [Answer(name, _plain(answers[name])) for name in answers if name not in asked]


def consents_of(consents: Iterable[Mapping[str, Any]]) -> list[Agreed]:
    """Return what Submission.consents tells: the wording, whether it was agreed to, and when."""
    return [
        Agreed(bool(each.get("given")), str(each.get("wording", "")), _time(each.get("at")))
        for each in consents
    ]


def origin_of(touch: Mapping[str, Any]) -> list[Answer]:
    """Return what one touch tells of where it came from: UTM, click ids, then the addresses."""
    marks = [
        *((_UTM.get(key, f"UTM {key}"), text) for key, text in (touch.get("utm") or {}).items()),
        *(touch.get("click_ids") or {}).items(),
        *((label, touch[key]) for key, label in _ORIGIN.items() if key in touch),
    ]
    return [Answer(label, _plain(text)) for label, text in marks]


def _worded(field: Field, value: Any) -> str:
    labels = {option.value: option.label for option in field.options}
    if isinstance(value, list):
        return ", ".join(labels.get(item, _plain(item)) for item in value)
    return labels.get(value, "") if isinstance(value, str) and value in labels else _plain(value)


def _time(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return "" if value is None else str(value)
