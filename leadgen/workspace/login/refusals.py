"""Responses to refused log-ins: 429 at a rate limit, 503 for overload or an outage."""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from leadgen.accounts.login.hashers import HashingBusyError
from leadgen.accounts.login.limits import TooManyAttemptsError
from leadgen.accounts.metrics import LOGINS
from leadgen.lib.telemetry.metrics import DEPENDENCY_ERRORS
from leadgen.operations.error_page import AWAY

logger = logging.getLogger(__name__)

_READ_ONLY = "25006"
# The window of the limits on resets (ACCOUNT_RATE_LIMITS).
_RESET_SECONDS = 900
_OUTAGE_SECONDS = 30


class RefusalMiddleware:
    """Turn rate limits and overload of any page that checks or sets a password into responses."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, TooManyAttemptsError):
            return too_many_requests(request, error.retry_after)
        if isinstance(error, HashingBusyError):
            LOGINS.labels("busy").inc()
            logger.warning("password hashing overloaded, one log-in was refused")
            return _page(request, "account/busy.html", 503, error.retry_after)
        return None


def too_many_requests(request: HttpRequest, seconds: int = _RESET_SECONDS) -> HttpResponse:
    """Answer 429; the page is the same whether or not the account exists."""
    return _page(request, "429.html", 429, seconds)


def unavailable(request: HttpRequest, dependency: str) -> HttpResponse:
    """Answer 503 while database or cache are unavailable: without them no attempt is counted."""
    LOGINS.labels("unavailable").inc()
    DEPENDENCY_ERRORS.labels(dependency).inc()
    logger.warning("%s unavailable, a log-in or reset was refused", dependency)
    return _page(request, "account/unavailable.html", 503, _OUTAGE_SECONDS)


def missing_dependency(error: Exception) -> str:
    """Name what is unavailable, ``database`` or ``cache``; an empty text for any other fault."""
    if isinstance(error, OperationalError | InterfaceError):
        return "database"
    if getattr(error.__cause__, "sqlstate", None) == _READ_ONLY:
        return "database"
    return "cache" if type(error).__module__.startswith("redis.") else ""


def _page(request: HttpRequest, template: str, status: int, seconds: int) -> HttpResponse:
    minutes = -(-seconds // 60)
    # The page of an outage (503.html) shows the same text as for any other page.
    context = {"minutes": minutes, "trouble": AWAY}
    response = render(request, template, context, status=status)
    response["Retry-After"] = str(seconds)
    response["Cache-Control"] = "no-store"
    # An expected response: Django would log each 503 at ERROR.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
