"""Origin checks: the websites that may send a form."""

from django.conf import settings

from leadgen.edge.http.messages import Request
from leadgen.forms.published import PublishedForm


def may_post(form: PublishedForm, request: Request) -> bool:
    """Return whether the Origin header names this server or an allowed website.

    A request without Origin may post: programs send none, and the check protects browsers.
    """
    return is_from_here(request) or is_allowed(form, request.headers["origin"])


def is_from_here(request: Request) -> bool:
    """Whether a page of this server sends, or a program."""
    origin = request.headers.get("origin")
    return origin is None or is_own(origin, request)


def is_own(origin: str, request: Request) -> bool:
    """Return whether the origin is this server, by the Host header or by PUBLIC_URL."""
    host = request.headers.get("host", "")
    return origin == settings.PUBLIC_URL or (bool(host) and origin.partition("://")[2] == host)


def is_allowed(form: PublishedForm, origin: str) -> bool:
    """Return whether the form allows the origin, or any (``*``)."""
    return "*" in form.origins or origin.lower() in form.origins
