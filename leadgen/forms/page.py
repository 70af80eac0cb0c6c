"""Hosted page: HTML rendered from a definition, complete without JavaScript."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.text import Truncator

from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.forms.format.fields import KINDS
from leadgen.forms.format.languages import canonical, is_right_to_left
from leadgen.forms.format.messages import text_of
from leadgen.forms.format.validation import start_texts
from leadgen.forms.markup import element

# Placeholder of the hidden inputs of one request; the edge replaces it when it serves the page.
HIDDEN_SLOT = "<!--leadgen:hidden-->"

# Enough of a consent's wording to recognise it in the list of messages.
_WORDING = 60
_UNSHOWABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry of the error summary; ``target`` is the id of the control, or empty."""

    label: str
    message: str
    target: str = ""


def form_page(
    definition: Definition,
    *,
    values: Mapping[str, list[str]] | None = None,
    errors: Mapping[str, list[str]] | None = None,
) -> str:
    """Return the page with HIDDEN_SLOT inside the form, filled with values and errors.

    ``values`` are the posted texts by name; None shows the defaults. ``errors`` are messages by
    name; those of the name "" concern the whole form.
    """
    errors = errors or {}
    shown = start_texts(definition) if values is None else values
    questions = [
        KINDS[field.kind].html(field, shown.get(field.name, []), errors.get(field.name, []))
        for field in definition.fields
    ]
    context = {
        "questions": [_safe(question) for question in questions],
        "problems": list(_problems(definition, errors)),
        "heading": _heading(sum(1 for name in errors if name)),
        "slot": _safe(HIDDEN_SLOT),
    }
    return _render("form", definition.title, definition, context)


def thanks_page(definition: Definition, receipt: str) -> str:
    """Return the thank-you page with the receipt; it leads on to the form's redirect address.

    The step of our own before the redirect (ADR 0032) clears the draft, stays visible when the
    address is a download, and is outside of ``form-action``.
    """
    url = definition.redirect_url
    target = url if url.startswith(("https://", "http://")) else ""
    context = {"receipt": receipt, "target": target, "host": urlsplit(target).hostname}
    return _render("thanks", definition.thanks_title, definition, context)


@lru_cache(maxsize=64)  # rendering was most of the cost of a refused request in a flood
def message_page(title: str, text: str) -> str:
    """Return a page with a message only, such as that there is no such form."""
    return _render("message", title, Definition(title, ()), {"text": text})


def unsent_page(title: str, text: str, typed: Mapping[str, list[str]]) -> str:
    """Return a page for a post that was not saved, with the typed answers to copy."""
    pairs = [(name, ", ".join(texts)) for name, texts in typed.items() if any(texts)]
    return _render("message", title, Definition(title, ()), {"text": text, "typed": pairs})


def hidden_inputs(values: Mapping[str, str]) -> str:
    """Return escaped ``<input type=hidden>`` elements, which replace HIDDEN_SLOT."""
    inputs = (
        element("input", type="hidden", name=name, value=value) for name, value in values.items()
    )
    return _showable("".join(inputs))


def _render(template: str, title: str, definition: Definition, context: dict[str, Any]) -> str:
    shared = {
        "title": title,
        "definition": definition,
        "locale": canonical(definition.locale),
        "direction": "rtl" if is_right_to_left(definition.locale) else "ltr",
    }
    return _showable(render_to_string(f"forms/{template}.html", shared | context))


def _problems(definition: Definition, errors: Mapping[str, list[str]]) -> Iterator[Problem]:
    """Yield the messages: of the whole form first, then in the order of the fields."""
    shown = {field.name: field for field in definition.fields if field.kind != "hidden"}
    for name in errors.keys() - shown.keys():
        yield from (Problem(name, message) for message in errors[name])
    for name, field in shown.items():
        for message in errors.get(name, []):
            yield Problem(_shown_label(field), message, f"f-{name}")


def _shown_label(field: FieldDefinition) -> str:
    """Return the words by which a field is known on the page; a consent shows its wording only."""
    words = field.wording.strip() if field.kind == "consent" else ""
    if not words:
        return field.label
    return Truncator(words).chars(_WORDING)


def _heading(count: int) -> str:
    return text_of("fields_to_correct", count=count) if count else text_of("not_sent")


def _safe(html: str) -> str:
    return mark_safe(html)  # noqa: S308 - made by markup.element, which escapes


def _showable(html: str) -> str:
    """Escape carriage returns; replace NUL and surrogates, which HTML cannot contain, by U+FFFD."""
    return _UNSHOWABLE.sub("\ufffd", html).replace("\r", "&#13;")
