"""Kinds with an order: number and date."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.forms.format.definition import FieldDefinition
from leadgen.forms.format.fields.base import FieldKind, InvalidAnswerError, storable
from leadgen.forms.format.localized_numbers import plain_digits, read_localized, written
from leadgen.forms.format.messages import Message, text_of
from leadgen.forms.markup import element

# Number.MAX_SAFE_INTEGER: JavaScript rounds larger integers.
LARGEST = 2**53 - 1
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Number(FieldKind):
    label = _("Number")
    missing = "missing_number"
    empties = (None,)

    def bounds(self, field: FieldDefinition) -> tuple[float, float]:
        """Return the smallest and the largest answer, both included."""
        low, high = read_number(field.minimum), read_number(field.maximum)
        return -LARGEST if low is None else low, LARGEST if high is None else high

    def clean(self, field: FieldDefinition, value: Any) -> int | float:
        if not isinstance(value, int | float) or isinstance(value, bool) or value != value:
            raise InvalidAnswerError("not_number")
        low, high = self.bounds(field)
        if value < low:
            raise InvalidAnswerError("number_too_small", limit=low)
        if value > high:
            raise InvalidAnswerError("number_too_large", limit=high)
        return value

    def parse(self, field: FieldDefinition, texts: list[str]) -> Any:
        answer = super().parse(field, texts)
        number = read_number(answer or "")
        return answer if number is None else number

    def parse_posted(self, field: FieldDefinition, texts: list[str], locale: str) -> Any:
        answer = super().parse(field, texts)
        number = read_localized(answer or "", locale)
        return answer if number is None else number

    def shown_start(self, field: FieldDefinition, locale: str) -> list[str]:
        return [written(number, locale) for number in self.start(field)]

    def worded(self, message: Message, locale: str) -> Message:
        if message.code == "not_number":
            return Message.of("not_plain_number", example=written("12.5", locale))
        return message

    def json_schema(self, field: FieldDefinition) -> dict[str, Any]:
        low, high = self.bounds(field)
        return {"type": "number", "minimum": low, "maximum": high}

    def control(
        self, field: FieldDefinition, values: list[str] | None, **described: str | None
    ) -> str:
        # Not input type=number: browsers send an empty text for input that they cannot parse.
        return element(
            "input",
            type="text",
            id=f"f-{field.name}",
            name=field.name,
            value="".join(self.given(field, values)[-1:]),
            placeholder=field.placeholder or None,
            required=field.required,
            inputmode="decimal",
            autocomplete="off",
            **described,
        )

    def unknown(self, field: FieldDefinition) -> Iterator[str]:
        for bound in (field.minimum, field.maximum):
            if bound and read_number(bound) is None:
                yield f"bound {bound}"

    def flaws(self, field: FieldDefinition) -> Iterator[str]:
        for bound in (field.minimum, field.maximum):
            number = read_number(bound)
            if bound and (number is None or abs(number) > LARGEST):
                text = gettext("“%(bound)s” is not a number: write digits, such as 1250 or 12.5.")
                yield text % {"bound": bound}
        low, high = self.bounds(field)
        if low > high:
            yield gettext("The minimum is larger than the maximum: swap them.")
        yield from super().flaws(field)


class Date(FieldKind):
    label = _("Date")
    missing = "missing_date"

    def html(self, field: FieldDefinition, values: list[str] | None, errors: list[str]) -> str:
        """Add a help text to an optional date: WebKit shows today's date in an empty control."""
        hint = "" if field.required else text_of("date_may_be_empty")
        lines = " ".join(filter(None, (field.help, hint)))
        return super().html(replace(field, help=lines), values, errors)

    def parse_posted(self, field: FieldDefinition, texts: list[str], locale: str) -> Any:
        """Read a date in full-width or Arabic digits and with spaces around, as numbers are read.

        A date that was refused comes back in a text input, where keyboards write these.
        """
        answer = super().parse(field, texts)
        plain = plain_digits(answer or "")
        return plain if is_date(plain) else answer

    def clean(self, field: FieldDefinition, value: Any) -> str:
        answer = storable(value)
        if not is_date(answer):
            raise InvalidAnswerError("not_date")
        if field.minimum and answer < field.minimum:
            raise InvalidAnswerError("date_too_early", limit=field.minimum)
        if field.maximum and answer > field.maximum:
            raise InvalidAnswerError("date_too_late", limit=field.maximum)
        return answer

    def json_schema(self, field: FieldDefinition) -> dict[str, Any]:
        bounds = [_from(field.minimum)] * bool(field.minimum)
        bounds += [_until(field.maximum)] * bool(field.maximum)
        schema: dict[str, Any] = {"type": "string", "format": "date"}
        return schema | ({"allOf": [{"pattern": bound} for bound in bounds]} if bounds else {})

    def control(
        self, field: FieldDefinition, values: list[str] | None, **described: str | None
    ) -> str:
        value = "".join(self.given(field, values)[-1:])
        return element(
            "input",
            # A date picker drops an invalid date, so that is shown in a text input.
            type="date" if not value or is_date(value) else "text",
            id=f"f-{field.name}",
            name=field.name,
            value=value,
            min=field.minimum or None,
            max=field.maximum or None,
            required=field.required,
            **described,
        )

    def unknown(self, field: FieldDefinition) -> Iterator[str]:
        for bound in (field.minimum, field.maximum):
            if bound and not is_date(bound):
                yield f"bound {bound}"

    def flaws(self, field: FieldDefinition) -> Iterator[str]:
        for bound in (field.minimum, field.maximum):
            if bound and not is_date(bound):
                text = gettext(
                    "“%(bound)s” is not a date: write year-month-day, such as 2026-03-31."
                )
                yield text % {"bound": bound}
        if field.minimum and field.maximum and field.minimum > field.maximum:
            yield gettext("The minimum is later than the maximum: swap them.")
        yield from super().flaws(field)


def read_number(answer: str) -> int | float | None:
    """Parse a number (a point for decimals, no separators); None for other text."""
    answer = answer.strip()
    if not _NUMBER.fullmatch(answer):
        return None
    return float(answer) if "." in answer else int(answer)


def is_date(answer: str) -> bool:
    """Return whether a text is a date as yyyy-mm-dd (RFC 3339, full-date)."""
    try:
        return bool(_DATE.fullmatch(answer) and date.fromisoformat(answer))
    except ValueError:
        return False


def _from(low: str) -> str:
    """Return a pattern of the dates from ``low`` on: equal, or larger at the first difference."""
    larger = [
        f"{low[:at]}[{int(digit) + 1}-9]"
        for at, digit in enumerate(low)
        if digit.isdigit() and digit != "9"
    ]
    return f"^({'|'.join([low, *larger])})"


def _until(high: str) -> str:
    """Return a pattern of the dates up to ``high``."""
    smaller = [
        f"{high[:at]}[0-{int(digit) - 1}]"
        for at, digit in enumerate(high)
        if digit.isdigit() and digit != "0"
    ]
    return f"^({'|'.join([high, *smaller])})"
