"""Small pieces of HTML that the workspace's lists share; all text is escaped."""

from __future__ import annotations

from datetime import datetime

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

DASH = SafeString('<span class="ws-dash" aria-label="none">–</span>')


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
        naturaltime(at),
    )
