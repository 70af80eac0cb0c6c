"""Small pieces of HTML that the workspace's lists share; all text is escaped."""

from __future__ import annotations

from datetime import datetime, timedelta

import phonenumbers
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil

DASH = SafeString('<span class="ws-dash" aria-label="none">–</span>')

# In a list's own form: an address to send it to, and what the button says.
BUTTON = (
    '<button class="ws-button ws-button--small" formaction="{}" formmethod="post"'
    " formnovalidate>{}</button>"
)


def badge(text: str, tone: str = "neutral") -> SafeString:
    """A pill; tone is neutral, new, open, won, lost, warn or bad."""
    return format_html('<span class="ws-badge ws-badge--{}">{}</span>', tone, text)


def two_lines(first: str, second: str) -> SafeString:
    """A name with what belongs to it below, smaller."""
    return format_html(
        '<span class="ws-two"><span class="ws-two__main" title="{}">{}</span>'
        '<span class="ws-two__sub" title="{}">{}</span></span>',
        first,
        first,
        second,
        second,
    )


def ago(at: datetime | None) -> SafeString:
    """How long ago, with the exact time (of the reader's zone) as its title."""
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
    """A duration in its two largest units, such as ``3 h 20 min``; a dash for none."""
    if duration is None:
        return "–"
    minutes = max(round(duration.total_seconds() / 60), 0)
    days, hours, minutes = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _in_one_unit(at: datetime) -> str:
    distance = timezone.now() - at
    if abs(distance) < timedelta(minutes=1):
        return "just now"
    if distance < timedelta(0):
        return f"in {timeuntil(at, depth=1)}"
    return f"{timesince(at, depth=1)} ago"


def event(kind: str) -> str:
    """An event's kind in words: ``lead.stage_changed`` is ``Lead: stage changed``."""
    subject, _, happened = kind.partition(".")
    words = (subject.replace("_", " ").capitalize(), happened.replace("_", " "))
    return ": ".join(filter(None, words))


def phone(number: str) -> str:
    """An E.164 number grouped for reading, such as ``+44 20 7946 0199``; anything else as it is."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def clip(text: str) -> SafeString:
    """One line of text, cut where the column ends; the whole text is its title."""
    return format_html('<span class="ws-clip" title="{}">{}</span>', text, text)
