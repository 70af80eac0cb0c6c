"""Error pages: refused requests, 503 while the database is unavailable or slow, 500 for errors."""

import logging
import sys
from dataclasses import dataclass

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.encoding import escape_uri_path
from django.views import csrf
from psycopg_pool import PoolTimeout, TooManyRequests

from leadgen.accounts.login import audit
from leadgen.accounts.login.adapter import client_network
from leadgen.accounts.metrics import REFUSALS
from leadgen.accounts.models import User
from leadgen.operations.metrics import PAGES_FAILED

logger = logging.getLogger(__name__)

_READ_ONLY = "25006"
_QUERY_CANCELED = "57014"


@dataclass(frozen=True, slots=True)
class PageProblem:
    """Expected fault of the database: its label in the metric and the texts of its page."""

    reason: str
    heading: str
    text: str
    retry_after: str = ""


AWAY = PageProblem(
    "away",
    "Not just now",
    "The database is being restarted or moved. What was saved before is safe; what you have just"
    " sent was not saved. Go back and send it again in a minute.",
    retry_after="30",
)
_BUSY = PageProblem(
    "busy",
    "Too many people at once",
    "As many people as this server can serve are using it now. What you have just sent was not"
    " saved. Go back and send it again in a few seconds.",
    retry_after="5",
)
_SLOW = PageProblem(
    "slow",
    "That took too long",
    "The database was stopped because this page took too long. What you have just sent was not"
    " saved. Narrow the list with a filter, a shorter period or another search, and try again.",
)


def page(request: HttpRequest) -> HttpResponse:
    """Answer 503 for an expected fault of the database, else 500."""
    return answer_to(sys.exc_info()[1]) or _render(500)


# Django's own handlers read the posted fields once more, for a CSRF token that these pages have no
# form for. Where the fields cannot be read, that raises again, with a traceback of 63 kB and a 500.
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 without reading the body."""
    return _render(400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403 without reading the body, and write a security event of a user's request."""
    if isinstance(user := getattr(request, "user", None), User):
        audit.refused(user, client_network(request), escape_uri_path(request.path))
    return _render(403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Count a request without a valid CSRF token, and answer 403 as Django does."""
    REFUSALS.labels("csrf").inc()
    return csrf.csrf_failure(request, reason=reason)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404 without reading the body."""
    return _render(404)


def _render(status: int) -> HttpResponse:
    return HttpResponse(render_to_string(f"{status}.html"), status=status)


def answer_to(error: BaseException | None) -> HttpResponse | None:
    """Return the page for an expected fault of the database, and count it; None for all others."""
    problem = _problem(error)
    if problem is None:
        return None
    PAGES_FAILED.labels(problem.reason).inc()
    logger.warning("page answered 503, database is %s: %s", problem.reason, type(error).__name__)
    headers = {"Retry-After": problem.retry_after} if problem.retry_after else {}
    text = render_to_string("503.html", {"trouble": problem})
    return HttpResponse(text, status=503, headers=headers)


def _problem(error: BaseException | None) -> PageProblem | None:
    cause = error and error.__cause__
    if isinstance(cause, PoolTimeout | TooManyRequests):
        return _BUSY
    code = getattr(cause, "sqlstate", None)
    if code == _QUERY_CANCELED:
        return _SLOW
    return AWAY if isinstance(error, OperationalError) or code == _READ_ONLY else None
