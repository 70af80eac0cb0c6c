"""Form versions that are too new for this release, and their unchecked answers (ADR 0025)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadgen.forms.format.definition import Definition
from leadgen.forms.format.fields import KINDS, UNKNOWN
from leadgen.forms.format.validation import parse

FormRow = tuple[Any, ...]
"""Form id, public id, slug, origins, version id, number, definition as text; is it published?"""


@dataclass(frozen=True, slots=True)
class Newer:
    """A version of a form that this release does not understand.

    ``definition`` is the part that is understood: enough to screen answers, not to validate them.
    """

    version_id: int
    number: int
    definition: Definition


def unjudged(definition: Definition, texts: Mapping[str, list[str]]) -> dict[str, Any]:
    """Convert posted texts to JSON values where the kind is known; drop only empty answers."""
    known_names = {field.name for field in definition.fields}
    others = {name: _as_sent(values) for name, values in texts.items() if name not in known_names}
    return parse(definition, texts) | {name: value for name, value in others.items() if value}


def without_empties(definition: Definition, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers without empty ones, as the validator does."""
    kinds = {field.name: KINDS[field.kind] for field in definition.fields}
    default = KINDS[UNKNOWN]
    return {
        name: answer
        for name, answer in answers.items()
        if not kinds.get(name, default).is_empty(answer)
    }


def _as_sent(texts: list[str]) -> Any:
    return texts if len(texts) > 1 else "".join(texts)
