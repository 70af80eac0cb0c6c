"""Middleware for request ids, access lines and request metrics."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware as DjangosCommonMiddleware

from leadgen.lib.telemetry import metrics, request_context
from leadgen.operations import error_page

logger = logging.getLogger("leadgen.access")

# Routes that probes and browsers request all the time are logged at level DEBUG.
_QUIET = {"static", "health-live", "health-ready", "metrics"}


class RequestLogMiddleware:
    """Logs and counts each answer; runs in synchronous and asynchronous chains without a switch."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._answer_async(request)
        started, token = _begin(request)
        try:
            return _end(request, self.get_response(request), started)
        finally:
            request_context.request_id.reset(token)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        started, token = _begin(request)
        try:
            return _end(request, await self.get_response(request), started)
        finally:
            request_context.request_id.reset(token)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer an expected fault here, so that the page is shown with DEBUG on as well."""
        return error_page.answer_to(error)


class CommonMiddleware(DjangosCommonMiddleware):
    """Django's middleware without the host check for probes, which call by IP address."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        if request.path in ("/health/live", "/health/ready", "/metrics"):
            return None
        return super().process_request(request)


def _begin(request: HttpRequest) -> tuple[float, Any]:
    token = request_context.request_id.set(
        request_context.adopt(request.headers.get("X-Request-ID"))
    )
    return time.perf_counter(), token


def _end(request: HttpRequest, response: HttpResponse, started: float) -> HttpResponse:
    seconds = time.perf_counter() - started
    route = _route(request)
    metrics.count_request(route, request.method or "", response.status_code, seconds)
    level = logging.DEBUG if route in _QUIET else logging.INFO
    # The path without its query: searches hold names and addresses.
    fields = {"route": route, "status": response.status_code, "ms": round(seconds * 1000)}
    line = (request.method, request.path, response.status_code)
    logger.log(level, "%s %s %d", *line, extra=fields | _user(request))
    response.headers["X-Request-ID"] = request_context.request_id.get()
    return response


def _route(request: HttpRequest) -> str:
    """Return the view's name: a label from a bounded set, never the path."""
    if match := request.resolver_match:
        return match.view_name
    return "static" if request.path.startswith(settings.STATIC_URL) else "unmatched"


def _user(request: HttpRequest) -> dict[str, int]:
    # Only a user that the view has loaded already: this line must not cost a query.
    user = getattr(request, "_cached_user", None)
    return {"user": user.pk} if user and user.pk else {}
