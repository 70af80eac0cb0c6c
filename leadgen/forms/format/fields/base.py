"""Base class of the field kinds, and their common HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.forms.format.definition import FieldDefinition
from leadgen.forms.format.messages import Message
from leadgen.forms.markup import element, text

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class InvalidAnswerError(ValueError):
    """An invalid answer. ``message`` has the code and the parameters, str() is the text."""

    def __init__(self, code: str, **parameters: Any) -> None:
        self.message = Message(code, parameters)
        super().__init__(self.message.text)


class FieldKind:
    """A kind of field. To add one: a class, an entry in KINDS, a test, its style in the CSS."""

    label: ClassVar[StrOrPromise]
    # The code of the message for a required answer that was left out.
    missing: ClassVar[str] = "missing"
    # Values that count as no answer; the JSON Schema allows them when the field is optional.
    empties: ClassVar[tuple[Any, ...]] = (None, "")
    # Attributes of the contact that an answer of this kind can fill.
    fills: ClassVar[frozenset[str]] = frozenset()

    def is_empty(self, value: object) -> bool:
        """Return whether a JSON value counts as no answer (False and 0 are answers)."""
        return value in self.empties

    def clean(self, field: FieldDefinition, value: Any) -> Any:
        """Return the answer to store, unchanged, or raise InvalidAnswerError."""
        raise NotImplementedError

    def parse(self, field: FieldDefinition, texts: list[str]) -> Any:
        """Convert posted texts into a JSON value for ``clean``; None means no answer."""
        return texts[-1] if texts and texts[-1].strip() else None

    def parse_posted(self, field: FieldDefinition, texts: list[str], locale: str) -> Any:
        """Convert texts that a visitor typed in the form's language, as ``parse`` does."""
        return self.parse(field, texts)

    def start(self, field: FieldDefinition) -> list[str]:
        """Return the initial texts of the control."""
        return [field.default] if field.default else []

    def shown_start(self, field: FieldDefinition, locale: str) -> list[str]:
        """Return the initial texts as the form's language writes them."""
        return self.start(field)

    def worded(self, message: Message, locale: str) -> Message:
        """Return a message as the page words it for people; the API keeps the original."""
        return message

    def given(self, field: FieldDefinition, values: list[str] | None) -> list[str]:
        """Return the texts to show: the posted ones, or the initial ones for None."""
        return self.start(field) if values is None else values

    def json_schema(self, field: FieldDefinition) -> dict[str, Any]:
        """Return the JSON Schema of an answer that is not empty."""
        raise NotImplementedError

    def control(
        self, field: FieldDefinition, values: list[str] | None, **described: str | None
    ) -> str:
        """Return the HTML of the control; ``values`` are the posted texts, None before a post."""
        raise NotImplementedError

    def html(self, field: FieldDefinition, values: list[str] | None, errors: list[str]) -> str:
        """Return the HTML of the field: label, help, control and messages."""
        label = element("label", caption(field, field.label), for_=f"f-{field.name}")
        control = self.control(field, values, **described(field, errors))
        return question("div", field, errors, label + help_text(field) + control)

    def unknown(self, field: FieldDefinition) -> Iterator[str]:
        """Yield the parts of a published field that this release does not understand."""
        yield from ()

    def flaws(self, field: FieldDefinition) -> Iterator[str]:
        """Yield a message, with the fix, for each flaw that prevents publishing."""
        if field.fills and field.fills not in self.fills:
            text = gettext("%(kind)s cannot go to “%(target)s”: choose another kind or target.")
            yield text % {"kind": self.label, "target": field.fills}
        if field.default:
            yield from self._default_flaws(field)

    def _default_flaws(self, field: FieldDefinition) -> Iterator[str]:
        try:
            self.clean(field, self.parse(field, [field.default]))
        except InvalidAnswerError as error:
            yield gettext("The default is not a valid answer: %(message)s") % {"message": error}


class UnknownKind(FieldKind):
    """A kind of a newer release: any answer is stored as sent."""

    label = _("Unknown")

    def clean(self, field: FieldDefinition, value: Any) -> Any:
        return value

    def parse(self, field: FieldDefinition, texts: list[str]) -> Any:
        return texts if len(texts) > 1 else super().parse(field, texts)

    def start(self, field: FieldDefinition) -> list[str]:
        return []

    def json_schema(self, field: FieldDefinition) -> dict[str, Any]:
        return {}

    def control(
        self, field: FieldDefinition, values: list[str] | None, **described: str | None
    ) -> str:
        """Return hidden inputs, so that the answers are posted again."""
        return "".join(
            element("input", type="hidden", name=field.name, value=value)
            for value in self.given(field, values)
        )

    def unknown(self, field: FieldDefinition) -> Iterator[str]:
        yield f"kind {field.kind or 'missing'}"

    def flaws(self, field: FieldDefinition) -> Iterator[str]:
        text = gettext("This release does not know the kind “%(kind)s”: choose another kind.")
        yield text % {"kind": field.kind}


def storable(value: object) -> str:
    """Return the text, or raise InvalidAnswerError when PostgreSQL cannot store it."""
    if not isinstance(value, str):
        raise InvalidAnswerError("not_text")
    if UNSTORABLE.search(value):
        raise InvalidAnswerError("unstorable")
    return value


def described(field: FieldDefinition, errors: list[str]) -> dict[str, str | None]:
    """Return the ARIA attributes that connect a control with its help and messages."""
    ids = [f"h-{field.name}"] * bool(field.help) + [f"e-{field.name}"] * bool(errors)
    return {
        "aria_describedby": " ".join(ids) or None,
        "aria_invalid": "true" if errors else None,
    }


def question(
    tag: str, field: FieldDefinition, errors: list[str], content: str, **attributes: str | None
) -> str:
    """Wrap the HTML of a field; its messages come last, below the control."""
    messages = "<br>".join(text(error) for error in errors)
    # Our own words are English until the page has catalogues; the attribute tells screen readers.
    error = element("p", messages, class_="error", id=f"e-{field.name}", lang="en")
    error = error if errors else ""
    look = ["question", field.kind, f"to-{field.fills}" * bool(field.fills), "wrong" * bool(errors)]
    return element(tag, content + error, class_=" ".join(filter(None, look)), **attributes)


def group(field: FieldDefinition, errors: list[str], content: str, role: str | None = None) -> str:
    """Wrap a field of several controls in a fieldset, which has the help and the messages."""
    legend = element("legend", caption(field, field.label))
    inside = legend + help_text(field) + element("div", content, class_="options")
    ties = described(field, errors)
    if role is None:  # a plain group cannot be invalid, a radiogroup can
        del ties["aria_invalid"]
    return question("fieldset", field, errors, inside, role=role, **ties)


def caption(field: FieldDefinition, words: str) -> str:
    """Return the HTML of a label, with “(optional)” for an optional field."""
    optional = (
        "" if field.required else " " + element("span", "(optional)", class_="optional", lang="en")
    )
    return text(words) + optional


def help_text(field: FieldDefinition) -> str:
    """Return the HTML of the help text, or an empty string."""
    return element("p", text(field.help), class_="help", id=f"h-{field.name}") if field.help else ""
