"""HTML snippets of the workspace's lists; all text is escaped."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import phonenumbers
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

DASH = SafeString('<span class="ws-dash" aria-label="none">–</span>')

# A button inside the form of a list: the address that it posts to, and its text.
BUTTON = (
    '<button class="ws-button ws-button--small" formaction="{}" formmethod="post"'
    " formnovalidate>{}</button>"
)


def badge(text: StrOrPromise, tone: str = "neutral") -> SafeString:
    """Return a pill; tone is neutral, new, open, won, lost, warn or bad."""
    return format_html('<span class="ws-badge ws-badge--{}">{}</span>', tone, text)


def two_lines(first: str, second: str) -> SafeString:
    """Return two lines, such as a name and, smaller, an email below it."""
    return format_html(
        '<span class="ws-two"><span class="ws-two__main" title="{}">{}</span>'
        '<span class="ws-two__sub" title="{}">{}</span></span>',
        first,
        first,
        second,
        second,
    )


def ago(at: datetime | None) -> SafeString:
    """Return the age of a time, with the exact time (in the reader's zone) as its title."""
    if at is None:
        return DASH
    local = timezone.localtime(at)
    return format_html(
        '<time class="ws-time" datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        date_format(local, "DATETIME_FORMAT"),
        _in_one_unit(at),
    )


def day(at: datetime | None) -> str:
    """The day in the reader's zone, such as ``3 Mar``; with its year unless that is this year."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    is_this_year = local.year == timezone.localtime().year
    return date_format(local, "j M" if is_this_year else "j M Y")


def moment(at: datetime | None) -> str:
    """The day as ``day`` writes it, and the time."""
    return f"{day(at)}, {date_format(timezone.localtime(at), 'H:i')}" if at else ""


def in_words(duration: timedelta | None) -> str:
    """Return a duration in its two largest units, such as ``3 h 20 min``; a dash for none."""
    if duration is None:
        return "–"
    minutes = max(round(duration.total_seconds() / 60), 0)
    days, hours, minutes = minutes // 1440, minutes % 1440 // 60, minutes % 60
    parts = {
        gettext("%(count)s d"): days,
        gettext("%(count)s h"): hours,
        gettext("%(count)s min"): 0 if days else minutes,
    }
    texts = [text % {"count": count} for text, count in parts.items() if count]
    return " ".join(texts) or gettext("%(count)s min") % {"count": 0}


def _in_one_unit(at: datetime) -> str:
    distance = timezone.now() - at
    if abs(distance) < timedelta(minutes=1):
        return gettext("just now")
    if distance < timedelta(0):
        return gettext("in %(time)s") % {"time": timeuntil(at, depth=1)}
    return gettext("%(time)s ago") % {"time": timesince(at, depth=1)}


def event(kind: str) -> str:
    """Return an event's kind as text: ``lead.stage_changed`` is ``Lead: stage changed``."""
    subject, _, happened = kind.partition(".")
    words = (subject.replace("_", " ").capitalize(), happened.replace("_", " "))
    return ": ".join(filter(None, words))


def phone(number: str) -> str:
    """Return an E.164 number grouped for reading, such as ``+44 20 7946 0199``."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def clip(text: str) -> SafeString:
    """Return one line of text, cut at the end of the column; the title has the whole text."""
    return format_html('<span class="ws-clip" title="{}">{}</span>', text, text)
