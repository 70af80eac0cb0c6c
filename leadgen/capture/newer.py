"""Serve the last understood version of a form whose published version is newer (ADR 0025)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadgen.capture.database import Database
from leadgen.forms.definition import Definition
from leadgen.forms.fields import KINDS, UNKNOWN
from leadgen.forms.reader import read_text
from leadgen.forms.validation import parse

# One look-up reads at most this many definitions, of some 4 kB each.
MOST_EARLIER = 20
_EARLIER = (
    "SELECT id, number, definition::text FROM forms_formversion "
    "WHERE form_id = %s AND number < %s ORDER BY number DESC LIMIT %s"
)

Row = tuple[Any, ...]
"""Form id, public id, slug, origins, version id, number, definition as text; is it published?"""
Resolved = tuple[Row, Row | None]
"""The row of the version looked up, and of the version to serve; None where none is understood."""


@dataclass(frozen=True, slots=True)
class Newer:
    """A version of a form that this release does not understand.

    ``definition`` is the part that is understood: enough to screen answers, not to judge them.
    """

    version_id: int
    number: int
    definition: Definition


async def resolve(database: Database, row: Row) -> Resolved:
    """Find the newest version, from this one back, that this release understands.

    A row without a version is returned as it is. Raise DatabaseAwayError.
    """
    if row[4] is None or read_text(row[6]).is_understood:
        return row, row
    for version in await database.fetch(_EARLIER, [row[0], row[5], MOST_EARLIER]):
        if read_text(version[2]).is_understood:
            return row, (*row[:4], *version, *row[7:])
    return row, None


def unjudged(definition: Definition, texts: Mapping[str, list[str]]) -> dict[str, Any]:
    """Turn posted texts into JSON values as far as the kinds are known; drop nothing but blanks."""
    known = {field.name for field in definition.fields}
    others = {name: _as_sent(values) for name, values in texts.items() if name not in known}
    return parse(definition, texts) | {name: value for name, value in others.items() if value}


def without_empties(definition: Definition, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what counts as no answer, as the validator does."""
    kinds = {field.name: KINDS[field.kind] for field in definition.fields}
    default = KINDS[UNKNOWN]
    return {
        name: answer
        for name, answer in answers.items()
        if not kinds.get(name, default).is_empty(answer)
    }


def _as_sent(texts: list[str]) -> Any:
    return texts if len(texts) > 1 else "".join(texts)
