"""Kinds with given options: choice, multiple choice, yes or no, country, consent."""

import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar

import pycountry
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.forms.format.definition import FieldDefinition, Option
from leadgen.forms.format.fields.base import (
    FieldKind,
    InvalidAnswerError,
    caption,
    described,
    group,
    help_text,
    question,
)
from leadgen.forms.markup import element, text

# Up to this many options are radio buttons; more are a drop-down list.
_BUTTONS = 6
_TRUTH = dict.fromkeys(("yes", "on", "true", "1"), True) | dict.fromkeys(
    ("no", "off", "false", "0"), False
)


class Choice(FieldKind):
    label = _("Choice")
    missing: ClassVar[str] = "missing_choice"
    fills = frozenset({"company", "job_title", "country", "message"})
    autocomplete: ClassVar[str | None] = None

    def options(self, field: FieldDefinition) -> tuple[Option, ...]:
        """Return the options of the field."""
        return field.options

    def clean(self, field: FieldDefinition, value: Any) -> str:
        if not isinstance(value, str) or value not in _values(self.options(field)):
            raise InvalidAnswerError("not_an_option")
        return value

    def parse(self, field: FieldDefinition, texts: list[str]) -> Any:
        """Return the posted text; different ones as a list, which ``clean`` refuses."""
        if len(texts) > 1 and len(given := list(dict.fromkeys(filter(str.strip, texts)))) > 1:
            return given
        return texts[-1] if texts else None

    def json_schema(self, field: FieldDefinition) -> dict[str, Any]:
        return {"type": "string", "enum": _values(self.options(field))}

    def html(self, field: FieldDefinition, values: list[str] | None, errors: list[str]) -> str:
        if len(self.options(field)) > _BUTTONS:
            return super().html(field, values, errors)
        buttons = _buttons(
            "radio", field, self.options(field), self.given(field, values), bool(errors)
        )
        return group(field, errors, buttons, role="radiogroup")

    def control(
        self, field: FieldDefinition, values: list[str] | None, **described: str | None
    ) -> str:
        chosen = self.given(field, values)[-1:]
        options = [Option("", field.placeholder or "Choose…"), *self.options(field)]
        return element(
            "select",
            "".join(
                element(
                    "option",
                    text(option.label),
                    value=option.value,
                    selected=option.value in chosen,
                    lang=None if option.value or field.placeholder else "en",
                )
                for option in options
            ),
            id=f"f-{field.name}",
            name=field.name,
            required=field.required,
            autocomplete=self.autocomplete,
            **described,
        )

    def unknown(self, field: FieldDefinition) -> Iterator[str]:
        if not self.options(field):
            yield "no options"

    def flaws(self, field: FieldDefinition) -> Iterator[str]:
        values = _values(self.options(field))
        if not values:
            yield gettext("Add at least one option, one a line.")
        if "" in values:
            yield gettext("An option has no value: write value | label, or the label alone.")
        if len(set(values)) < len(values):
            yield gettext("Two options have the same value: make each different.")
        yield from super().flaws(field)


class Country(Choice):
    """A country by its ISO 3166-1 code of two letters."""

    label = _("Country")
    missing = "missing_country"
    fills = frozenset({"country"})
    autocomplete = "country"

    def options(self, field: FieldDefinition) -> tuple[Option, ...]:
        return _countries()


class MultipleChoice(Choice):
    label = _("Multiple choice")
    missing = "missing_choices"
    empties = (None, [])
    fills = frozenset()

    def clean(self, field: FieldDefinition, value: Any) -> Any:
        if not isinstance(value, list):
            raise InvalidAnswerError("not_a_list")
        values = [super(MultipleChoice, self).clean(field, item) for item in value]
        if len(set(values)) < len(values):
            raise InvalidAnswerError("repeated_option")
        return values

    def parse(self, field: FieldDefinition, texts: list[str]) -> Any:
        return [answer for answer in texts if answer] or None

    def json_schema(self, field: FieldDefinition) -> dict[str, Any]:
        items = super().json_schema(field)
        return {"type": "array", "items": items, "uniqueItems": True, "minItems": 1}

    def html(self, field: FieldDefinition, values: list[str] | None, errors: list[str]) -> str:
        ticked = self.given(field, values)
        boxes = _buttons("checkbox", field, self.options(field), ticked, bool(errors))
        return group(field, errors, boxes)


class YesNo(FieldKind):
    label = _("Yes or no")
    missing = "missing_yes_no"
    empties = (None,)

    def clean(self, field: FieldDefinition, value: Any) -> bool:
        if not isinstance(value, bool):
            raise InvalidAnswerError("not_yes_or_no")
        return value

    def parse(self, field: FieldDefinition, texts: list[str]) -> Any:
        return _truth(super().parse(field, texts))

    def json_schema(self, field: FieldDefinition) -> dict[str, Any]:
        return {"type": "boolean"}

    def html(self, field: FieldDefinition, values: list[str] | None, errors: list[str]) -> str:
        options = (Option("yes", "Yes"), Option("no", "No"))
        answer = self.parse(field, self.given(field, values))
        chosen = ["yes" if answer else "no"] if isinstance(answer, bool) else []
        buttons = _buttons("radio", field, options, chosen, bool(errors))
        return group(field, errors, buttons, role="radiogroup")


class Consent(FieldKind):
    """A box that a visitor ticks under the exact wording; a required one must be ticked."""

    label = _("Consent")
    missing = "missing_consent"
    empties = (None,)

    def clean(self, field: FieldDefinition, value: Any) -> bool:
        if not isinstance(value, bool):
            raise InvalidAnswerError("not_true_or_false")
        if field.required and not value:
            raise InvalidAnswerError(self.missing)
        return value

    def parse(self, field: FieldDefinition, texts: list[str]) -> Any:
        return _truth(super().parse(field, texts))

    def shown_start(self, field: FieldDefinition, locale: str) -> list[str]:
        return []  # the visitor ticks the box, whatever an old definition says

    def json_schema(self, field: FieldDefinition) -> dict[str, Any]:
        return {"const": True} if field.required else {"type": "boolean"}

    def html(self, field: FieldDefinition, values: list[str] | None, errors: list[str]) -> str:
        box = element(
            "input",
            type="checkbox",
            id=f"f-{field.name}",
            name=field.name,
            value="yes",
            checked=self.parse(field, values or []) is True,
            required=field.required,
            **described(field, errors),
        )
        wording = element("span", caption(field, field.wording))
        label = element("label", box + wording, for_=f"f-{field.name}")
        return question("div", field, errors, label + help_text(field))

    def unknown(self, field: FieldDefinition) -> Iterator[str]:
        if not field.wording.strip():
            yield "no wording"

    def flaws(self, field: FieldDefinition) -> Iterator[str]:
        if not field.wording.strip():
            yield gettext("Write the wording: what a visitor agrees to, word for word.")
        if field.default:
            yield gettext("A consent has no default: the visitor ticks the box.")
        if field.fills:
            yield gettext("A consent goes to no attribute of the contact.")


def _truth(answer: Any) -> Any:
    """Return the boolean of a posted text; HTML sends ``on`` for a box without a value."""
    return _TRUTH.get(answer.strip().lower(), answer) if isinstance(answer, str) else answer


def _values(options: tuple[Option, ...]) -> list[str]:
    return [option.value for option in options]


def _buttons(
    shape: str, field: FieldDefinition, options: tuple[Option, ...], chosen: list[str], wrong: bool
) -> str:
    """Return one button for each option; the first has the field's id, the target of messages.

    Optional radio buttons end with one for no answer: a browser has no way to untick a radio.
    """
    buttons = [
        element(
            "label",
            element(
                "input",
                type=shape,
                id=f"f-{field.name}" + f"-{number}" * bool(number),
                name=field.name,
                value=option.value,
                checked=option.value in chosen,
                required=field.required and shape == "radio",
                aria_invalid="true" if wrong and shape == "checkbox" else None,
            )
            + element("span", text(option.label)),
            class_="option",
        )
        for number, option in enumerate(options)
    ]
    has_way_back = shape == "radio" and not field.required
    return "".join(buttons) + _no_answer(field) * has_way_back


def _no_answer(field: FieldDefinition) -> str:
    radio = element("input", type="radio", id=f"f-{field.name}-none", name=field.name, value="")
    return element("label", radio + element("span", "No answer", lang="en"), class_="option none")


@cache
def _countries() -> tuple[Option, ...]:
    """Return every country, sorted by name without accents."""
    named = [
        Option(country.alpha_2, getattr(country, "common_name", country.name))
        for country in pycountry.countries
    ]
    # Kosovo has no code in ISO 3166-1: XK is the user-assigned one of CLDR and the EU.
    named.append(Option("XK", "Kosovo"))
    return tuple(sorted(named, key=lambda option: _plain(option.label)))


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()
