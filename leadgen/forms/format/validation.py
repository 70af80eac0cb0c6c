"""Validation of answers against a definition: pure, shared by page, API and imports."""

from collections.abc import Mapping
from typing import Any

from leadgen.forms.format.definition import Definition
from leadgen.forms.format.fields import KINDS, InvalidAnswerError
from leadgen.forms.format.messages import Errors, Message


def validate(definition: Definition, answers: Mapping[str, Any]) -> tuple[dict[str, Any], Errors]:
    """Return the cleaned answers by field name, and messages by field name (empty when valid).

    ``answers`` are JSON values (str, int, float, bool, list of str, None) keyed by field name. An
    unknown name is an error under that name. Cleaned texts are exactly what was sent; an answer
    that was left empty is left out.
    """
    cleaned: dict[str, Any] = {}
    errors: Errors = {}
    for field in definition.fields:
        kind, answer = KINDS[field.kind], answers.get(field.name)
        try:
            if not kind.is_empty(answer):
                cleaned[field.name] = kind.clean(field, answer)
            elif field.required:
                raise InvalidAnswerError(kind.missing)
        except InvalidAnswerError as error:
            errors[field.name] = [error.message]
    unknown = answers.keys() - {field.name for field in definition.fields}
    return cleaned, errors | {name: [Message.of("unknown_field")] for name in unknown}


def parse(definition: Definition, values: Mapping[str, list[str]]) -> dict[str, Any]:
    """Convert the texts of an HTML form by name into the JSON values that ``validate`` takes.

    Numbers are read in the form's language.
    An empty text counts as not given; a text that a kind cannot read is passed on as it is, so that
    validate names it. Names that the definition does not know are dropped.
    """
    parsed = {
        field.name: KINDS[field.kind].parse_posted(
            field, values.get(field.name, []), definition.locale
        )
        for field in definition.fields
    }
    return {name: answer for name, answer in parsed.items() if answer not in (None, "")}


def start_texts(definition: Definition) -> dict[str, list[str]]:
    """Return the initial texts of the page's controls by field name."""
    return {
        field.name: KINDS[field.kind].shown_start(field, definition.locale)
        for field in definition.fields
    }


def worded(definition: Definition, errors: Errors) -> Errors:
    """Return the messages as the page words them for people in the form's language."""
    kinds = {field.name: KINDS[field.kind] for field in definition.fields}
    return {
        name: [
            kinds[name].worded(message, definition.locale) if name in kinds else message
            for message in messages
        ]
        for name, messages in errors.items()
    }
