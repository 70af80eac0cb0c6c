"""Validation of answers against a definition: pure, shared by page, API and imports."""

from collections.abc import Mapping
from typing import Any

from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.forms.format.fields import KINDS, InvalidAnswerError
from leadgen.forms.format.fields.texts import Hidden
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
        field.name: _parse(field, values.get(field.name, []), definition.locale)
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


def check_given(definition: Definition, cleaned: Mapping[str, Any]) -> Errors:
    """Return a message when no field that visitors see was filled in or ticked."""
    for field in definition.fields:
        if field.name in cleaned and _is_given(field, cleaned[field.name]):
            return {}
    return {"": [Message.of("nothing_given")]}


def cut_hidden(definition: Definition, answers: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answers with hidden values that ``validate`` accepts: cut, and as text.

    A visitor does not see them and can correct nothing.
    """
    hidden = [field for field in definition.fields if field.kind == "hidden"]
    cut = {
        field.name: Hidden().cut(field, answers[field.name])
        for field in hidden
        if answers.get(field.name) not in (None, "")
    }
    return {**answers, **cut} if cut else answers


def _is_given(field: FieldDefinition, answer: Any) -> bool:
    if isinstance(answer, str):
        return field.kind != "hidden" and bool(answer.strip())
    return field.kind != "consent" or answer is True


def _parse(field: FieldDefinition, texts: list[str], locale: str) -> Any:
    """Convert the texts of one field; an empty double does not replace an answer."""
    if len(texts) > 1 and not texts[-1].strip():
        texts = list(filter(str.strip, texts)) or texts
    return KINDS[field.kind].parse_posted(field, texts, locale)
