"""Display values of a submission: answers with the labels of the version that was shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.capture.attribution import CLICK_IDS, UTM
from leadgen.forms.format.definition import Definition, FieldDefinition

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

_ORIGIN = {
    "page_url": _("Page"),
    "landing_page": _("Landing page"),
    "referrer": _("Referrer"),
}
_DEVICE = {
    "language": _("Language"),
    "user_agent": _("Browser"),
    "address": _("Network"),
    "channel": _("Sent through"),
}
_UTM = {
    "source": _("Source"),
    "medium": _("Medium"),
    "campaign": _("Campaign"),
    "id": _("Campaign id"),
}


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """A question's label and its answer in words; the text is empty where there is no answer."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """One consent: the wording that was shown, the answer and its time."""

    given: bool
    wording: str
    at: datetime | None


def answers_of(
    definition: Definition, answers: Mapping[str, Any], *, only: Collection[str] | None = None
) -> list[ShownAnswer]:
    """Return the answers in the form's order; answers to unknown fields come last.

    ``only`` limits the result to the fields of these names.
    """
    if only is not None:
        chosen = tuple(field for field in definition.fields if field.name in only)
        kept = {name: value for name, value in answers.items() if name in only}
        return answers_of(replace(definition, fields=chosen), kept)
    known_names = {field.name for field in definition.fields}
    known = [
        ShownAnswer(field.label, _worded(field, answers.get(field.name)))
        for field in definition.fields
        if field.kind != "consent"
    ]
    return known + [
        ShownAnswer(name, _plain(answers[name])) for name in answers if name not in known_names
    ]


def consents_of(consents: Iterable[Mapping[str, Any]]) -> list[Agreed]:
    """Return the consents in Submission.consents."""
    return [
        Agreed(bool(each.get("given")), str(each.get("wording", "")), _time(each.get("at")))
        for each in consents
    ]


def origin_of(touch: Mapping[str, Any]) -> list[ShownAnswer]:
    """Return the attribution of one touch: UTM values, click ids, then URLs and time."""
    utm, click_ids = touch.get("utm") or {}, touch.get("click_ids") or {}
    return [
        *(
            ShownAnswer(str(_UTM.get(key, f"UTM {key}")), _plain(utm[key]))
            for key in UTM
            if key in utm
        ),
        *(ShownAnswer(key, _plain(click_ids[key])) for key in CLICK_IDS if key in click_ids),
        *_labelled(touch, _ORIGIN),
        *_moment(_time(touch.get("at"))),
    ]


def device_of(context: Mapping[str, Any]) -> list[ShownAnswer]:
    """Return the language, browser, network and channel of a submission's context."""
    return _labelled(context, _DEVICE)


def _moment(at: datetime | None) -> list[ShownAnswer]:
    return [ShownAnswer(gettext("At"), f"{at:%-d %b %Y, %H:%M}")] if at else []


def _labelled(touch: Mapping[str, Any], labels: Mapping[str, StrPromise]) -> list[ShownAnswer]:
    return [
        ShownAnswer(str(label), _plain(touch[key])) for key, label in labels.items() if key in touch
    ]


def _worded(field: FieldDefinition, value: Any) -> str:
    labels = {option.value: option.label for option in field.options}
    if isinstance(value, list):
        return ", ".join(_labelled_or_plain(labels, item) for item in value)
    return _labelled_or_plain(labels, value)


def _labelled_or_plain(labels: Mapping[str, str], value: Any) -> str:
    return labels[value] if isinstance(value, str) and value in labels else _plain(value)


def _time(text: Any) -> datetime | None:
    """Parse an ISO 8601 time with a zone; None for anything else."""
    try:
        at = datetime.fromisoformat(text)
        return timezone.localtime(at) if at.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_plain(inner)}" for name, inner in value.items())
    return "" if value is None else str(value)
