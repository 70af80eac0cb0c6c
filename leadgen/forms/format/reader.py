"""Read stored definitions and name what this release does not understand of them (ADR 0025)."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.utils.encoding import iri_to_uri

from leadgen.forms.format.definition import FORMAT, Definition, Notes, parse
from leadgen.forms.format.fields import KINDS

NEEDS: frozenset[str] = frozenset()
"""What this release understands of a definition's ``needs``."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A stored definition as far as this release understands it.

    ``unknown`` names the parts that may change what is asked, required or kept; ``extra`` names the
    additive keys that this release ignores.
    """

    definition: Definition
    unknown: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def is_understood(self) -> bool:
        """Whether this release may draw the page and judge answers."""
        return not self.unknown

    @property
    def is_whole(self) -> bool:
        """Whether nothing would be dropped by writing the definition again."""
        return not (self.unknown or self.extra)


def read(data: object) -> Reading:
    """Read any JSON value as a definition; raise nothing."""
    notes = Notes()
    definition = parse(data, notes)
    headers = data if isinstance(data, dict) else {}
    unknown = [*_headers(headers), *notes.unknown, *_questions(definition)]
    if not _is_address(definition.redirect_url):
        unknown.append("redirect_url")
    extra = [key for key in notes.extra if key not in ("format", "needs")]
    return Reading(definition, tuple(unknown), tuple(extra))


def read_text(text: object) -> Reading:
    """Read a definition as JSON text; a value that is decoded already is read as it is."""
    return read(decode(text))


def decode(text: object) -> Any:
    """Return the JSON value of a text; None for broken or too deeply nested JSON."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _headers(data: dict[str, Any]) -> Iterator[str]:
    number, needs = data.get("format", FORMAT), data.get("needs") or []
    if type(number) is not int or not 1 <= number <= FORMAT:
        yield f"format {number}"
    if not isinstance(needs, list):
        yield "needs"
    else:
        yield from (f"needs {need}" for need in needs if need not in tuple(NEEDS))


def _questions(definition: Definition) -> Iterator[str]:
    for field in definition.fields:
        yield from (f"field {field.name}: {part}" for part in KINDS[field.kind].unknown(field))
    for name, count in Counter(field.name for field in definition.fields).items():
        if count > 1:
            yield f"field {name}: given {count} times"


def _is_address(url: str) -> bool:
    try:
        urlsplit(iri_to_uri(url))
    except ValueError:
        return False
    return True
