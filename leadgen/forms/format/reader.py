"""Reader of stored definitions; names the parts that are too new for this release (ADR 0025)."""

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
"""Values of a definition's ``needs`` that this release understands."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The understood part of a stored definition.

    ``unknown`` names parts that may change which answers are asked for, required or stored;
    ``extra`` names additive keys, which this release ignores.
    """

    definition: Definition
    unknown: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def is_understood(self) -> bool:
        """Whether this release may render the page and validate answers."""
        return not self.unknown

    @property
    def is_whole(self) -> bool:
        """Whether writing the definition again would lose nothing."""
        return not (self.unknown or self.extra)


def read(data: object) -> Reading:
    """Read any JSON value as a definition; never raise."""
    notes = Notes()
    definition = parse(data, notes)
    headers = data if isinstance(data, dict) else {}
    unknown = [*_headers(headers), *notes.unknown, *_questions(definition)]
    if not _is_address(definition.redirect_url):
        unknown.append("redirect_url")
    extra = [key for key in notes.extra if key not in ("format", "needs")]
    return Reading(definition, tuple(unknown), tuple(extra))


def read_text(text: object) -> Reading:
    """Read a definition from JSON text, or from a decoded value."""
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
