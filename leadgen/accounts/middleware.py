"""Middleware that activates the time zone of the logged-in user for each request."""

from collections.abc import Callable
from zoneinfo import ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from leadgen.lib.dates import CalendarZone


class TimeZoneMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(_zone(getattr(request.user, "time_zone", ""))):
            return self.get_response(request)


def _zone(name: str) -> CalendarZone:
    """Return the named zone, or TIME_ZONE when the name is empty or unknown."""
    try:
        return CalendarZone(name or settings.TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return CalendarZone(settings.TIME_ZONE)
