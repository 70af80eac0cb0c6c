"""The page for a fault of ours, and another one for what passes by itself."""

import sys

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

_READ_ONLY = "25006"
_RETRY_SECONDS = "30"


def page(request: HttpRequest) -> HttpResponse:
    """Answer 503 while the database is away, or read-only as during a move; else 500."""
    if not _passes(sys.exc_info()[1]):
        return server_error(request)
    headers = {"Retry-After": _RETRY_SECONDS}
    return HttpResponse(render_to_string("503.html"), status=503, headers=headers)


def _passes(error: BaseException | None) -> bool:
    if isinstance(error, OperationalError):
        return True
    return getattr(error and error.__cause__, "sqlstate", None) == _READ_ONLY
