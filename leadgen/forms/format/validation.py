"""Validation of answers against a definition: pure, shared by page, API and imports."""

from collections.abc import Mapping
from typing import Any

from leadgen.forms.format.definition import Definition, FieldDefinition
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
            if isinstance(answer, list) and not kind.takes_several:
                raise InvalidAnswerError("several_answers")
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

    An empty text counts as not given; a text that a kind cannot read is passed on as it is, so that
    validate names it. Names that the definition does not know are dropped.
    """
    parsed = {field.name: _parse(field, values.get(field.name, [])) for field in definition.fields}
    return {name: answer for name, answer in parsed.items() if answer not in (None, "")}


def has_answer(definition: Definition, cleaned: Mapping[str, Any]) -> bool:
    """Return whether any field that visitors see was filled in or ticked."""
    return any(
        field.kind != "hidden" and _is_given(field, cleaned[field.name])
        for field in definition.fields
        if field.name in cleaned
    )


def _is_given(field: FieldDefinition, answer: Any) -> bool:
    if isinstance(answer, str):
        return bool(answer.strip())
    return field.kind != "consent" or answer is True


def _parse(field: FieldDefinition, texts: list[str]) -> Any:
    kind = KINDS[field.kind]
    if len(texts) < 2 or kind.takes_several:
        return kind.parse(field, texts)
    given = list(filter(str.strip, texts))
    # Different answers are refused by validate: none may win silently.
    return given if len(set(given)) > 1 else kind.parse(field, given[-1:])
