"""Form definition as plain data: the one source of page, validator and JSON Schema."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from django.utils.translation import gettext_lazy as _

FORMAT = 1
"""The newest format of stored definitions that this release reads, and the one that it writes."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a choice: the stored value and the label shown."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One field.

    ``name`` is the key of the answer and never changes; ``kind`` is a key of ``fields.KINDS``;
    ``minimum`` and ``maximum`` bound a number (ISO dates for a date kind), ``max_length`` a text in
    characters; ``default`` is the initial value, for a phone the country (ISO 3166-1) of numbers
    without a country code; ``wording`` is the text of a consent; ``fills`` is the attribute of the
    contact that the answer is stored in (a key of ``CONTACT_FIELDS``), or empty.
    """

    name: str
    kind: str
    label: str
    help: str = ""
    required: bool = False
    placeholder: str = ""
    options: tuple[Option, ...] = ()
    minimum: str = ""
    maximum: str = ""
    max_length: int | None = None
    default: str = ""
    wording: str = ""
    fills: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A whole form: its texts and its fields in order."""

    title: str
    fields: tuple[FieldDefinition, ...]
    intro: str = ""
    submit_label: str = "Send"
    thanks_title: str = "Thank you"
    thanks_text: str = ""
    redirect_url: str = ""
    locale: str = "en"

    @classmethod
    def from_json(cls, data: object) -> "Definition":
        """Rebuild the understood part of any stored JSON value; never raise.

        ``forms.format.reader.read`` also names the parts that are not understood.
        """
        return parse(data, Notes())

    def to_json(self) -> dict[str, Any]:
        """Return the value of FormVersion.definition, of JSON types only."""
        data = asdict(self)
        data["fields"] = [{**field, "options": list(field["options"])} for field in data["fields"]]
        return data


@dataclass(slots=True)
class Notes:
    """Parts of a stored definition that this release does not understand, as texts for people.

    ``unknown`` parts may change which answers are asked for, required or stored. ``extra`` keys may
    not: a newer release lists those that do in ``needs`` (ADR 0025).
    """

    unknown: list[str]
    extra: list[str]

    def __init__(self) -> None:
        self.unknown, self.extra = [], []


def parse(data: object, notes: Notes) -> Definition:
    """Rebuild a definition from any JSON value; add unknown parts to ``notes``; never raise."""
    known = _Part(Definition, data, "", notes)
    questions = [_field(item, at, notes) for at, item in enumerate(known.items("fields"), 1)]
    texts = known.values(required=("title", "fields"))
    asked = tuple(question for question in questions if question)
    return Definition(**{"title": "", **texts, "fields": asked})


def _field(data: object, position: int, notes: Notes) -> FieldDefinition | None:
    """Rebuild a field; None for a field without a name, which is the key of its answers."""
    name = data.get("name") if isinstance(data, dict) else None
    part = _Part(FieldDefinition, data, f"field {name or position}: ", notes)
    options = [_option(item, part.where, notes) for item in part.items("options")]
    known = part.values(required=("name", "kind", "label"))
    if not known.get("name"):
        notes.unknown += [f"{part.where}no name"] * (name == "")
        return None
    chosen = tuple(option for option in options if option)
    return FieldDefinition(**{"kind": "", "label": known["name"], **known, "options": chosen})


def _option(data: object, where: str, notes: Notes) -> Option | None:
    known = _Part(Option, data, f"{where}option: ", notes).values(required=("value", "label"))
    return Option(**{"label": known["value"], **known}) if "value" in known else None


_KEYS = {
    kind: {field.name: field.type for field in fields(kind)}
    for kind in (Definition, FieldDefinition, Option)
}
_TYPES = {str: str, bool: bool, int | None: int}


class _Part:
    """A JSON object of a stored definition, parsed by the types of a dataclass."""

    def __init__(self, kind: type[Any], data: object, where: str, notes: Notes) -> None:
        self.where = where
        self._types = _KEYS[kind]
        self._notes = notes
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            notes.unknown.append(f"{where}not an object")
        notes.extra += [f"{where}{key}" for key in self._data if key not in self._types]

    def items(self, name: str) -> list[Any]:
        """Return a list member of the object; an empty list when it is absent."""
        value = self._data.get(name)
        if isinstance(value, list):
            return value
        if value is not None:
            self._notes.unknown.append(f"{self.where}{name}")
        return []

    def values(self, *, required: tuple[str, ...]) -> dict[str, Any]:
        """Return the scalar members of the expected type; null counts as absent."""
        known = {}
        for name, kind in self._types.items():
            value = self._data.get(name)
            if value is None:
                self._notes.unknown += [f"{self.where}no {name}"] * (name in required)
            elif kind in _TYPES:
                if _is_of(kind, value):
                    known[name] = value
                else:
                    self._notes.unknown.append(f"{self.where}{name}")
        return known


def _is_of(kind: Any, value: object) -> bool:
    # Not isinstance: True is an int in Python, but no number in JSON.
    return type(value) is _TYPES[kind] and (type(value) is not int or value >= 0)


CONTACT_FIELDS = {
    "name": _("Full name"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "email": _("Email"),
    "phone": _("Phone"),
    "company": _("Company"),
    "job_title": _("Job title"),
    "country": _("Country"),
    "message": _("Message"),
}
