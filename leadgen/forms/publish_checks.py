"""Publish checks: pure rules; each message names the field and the fix."""

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.utils.translation import gettext

from leadgen.forms.format.definition import CONTACT_FIELDS, Definition
from leadgen.forms.format.fields import KINDS
from leadgen.forms.format.languages import canonical, is_known

# Well below the 200 names that edge.http.bodies parses in one post.
MAX_FIELDS = 100


def problems(definition: Definition) -> list[str]:
    """Return the messages; an empty list means that the draft can be published."""
    return [*_form_problems(definition), *_field_problems(definition)]


def _form_problems(definition: Definition) -> Iterator[str]:
    if not any(field.kind != "hidden" for field in definition.fields):
        yield gettext("Add at least one field that visitors fill in.")
    if len(definition.fields) > MAX_FIELDS:
        yield gettext("Remove fields: a form has %(limit)s at most.") % {"limit": MAX_FIELDS}
    if definition.redirect_url and not _is_web_address(definition.redirect_url):
        yield gettext("Redirect to: write a whole address that starts with https:// or http://.")
    if not is_known(canonical(definition.locale)):
        text = gettext(
            "Language: “%(locale)s” is no language code: write one such as en, de-AT or zh-Hant."
        )
        yield text % {"locale": definition.locale}


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _field_problems(definition: Definition) -> Iterator[str]:
    for field in definition.fields:
        yield from (
            f"{field.label} ({field.name}): {flaw}" for flaw in KINDS[field.kind].flaws(field)
        )
    for attribute, count in Counter(field.fills for field in definition.fields).items():
        if attribute and count > 1:
            names = ", ".join(field.name for field in definition.fields if field.fills == attribute)
            text = gettext("%(fields)s: only one field can go to “%(target)s”.")
            yield text % {"fields": names, "target": CONTACT_FIELDS[attribute]}
