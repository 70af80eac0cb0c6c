"""What a form asks, as plain data: the one source of page, validator and JSON Schema."""

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to choose: the value that is stored and the label that is shown."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One question.

    ``name`` is the key of the answer and never changes; ``kind`` is a key of ``fields.KINDS``;
    ``minimum`` and ``maximum`` bound a number (ISO dates for a date kind), ``max_length`` a text in
    characters; ``default`` is what the control starts with, for a phone the country of numbers
    without a country code; ``wording`` is what a consent says; ``fills`` is the contact's attribute
    that the answer goes to (a key of ``FILLS``), or empty.
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

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Rebuild a field from ``to_json``'s dictionary, of a newer release's as well."""
        options = tuple(Option(**_known(Option, option)) for option in data.get("options", ()))
        return cls(**{**_known(cls, data), "options": options})


@dataclass(frozen=True, slots=True)
class Definition:
    """A whole form: its texts and its fields in order."""

    title: str
    fields: tuple[Field, ...]
    intro: str = ""
    submit_label: str = "Send"
    thanks_title: str = "Thank you"
    thanks_text: str = ""
    redirect_url: str = ""
    locale: str = "en"

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Rebuild a definition from ``to_json``'s dictionary, of a newer release's as well."""
        fields = tuple(Field.from_json(field) for field in data["fields"])
        return cls(**{**_known(cls, data), "fields": fields})

    def to_json(self) -> dict[str, Any]:
        """Return what FormVersion.definition stores: dictionaries, lists and strings only."""
        data = asdict(self)
        data["fields"] = [{**field, "options": list(field["options"])} for field in data["fields"]]
        return data


def _known(kind: type[Any], data: dict[str, Any]) -> dict[str, Any]:
    # While a new release is rolled out, the old one reads what the new one has published.
    return {name: value for name, value in data.items() if name in kind.__dataclass_fields__}


FILLS = {
    "name": "Full name",
    "first_name": "First name",
    "last_name": "Last name",
    "email": "Email",
    "phone": "Phone",
    "company": "Company",
    "job_title": "Job title",
    "country": "Country",
    "message": "Message",
}
