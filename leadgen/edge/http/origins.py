"""Origin checks: which websites may send a form."""

from django.conf import settings

from leadgen.edge.http.messages import Request
from leadgen.forms.published import PublishedForm


def may_post(form: PublishedForm, request: Request) -> bool:
    """Whether the page that sends (the Origin header) is ours or one the form allows.

    Programs send no Origin and may: it is browsers that need the rule.
    """
    return is_from_here(request) or is_allowed(form, request.headers["origin"])


def is_from_here(request: Request) -> bool:
    """Whether a page of this server sends, or a program."""
    origin = request.headers.get("origin")
    return origin is None or is_own(origin, request)


def is_own(origin: str, request: Request) -> bool:
    """Whether the origin is this server, by the name it was asked under or its public one."""
    host = request.headers.get("host", "")
    return origin == settings.PUBLIC_URL or (bool(host) and origin.partition("://")[2] == host)


def is_allowed(form: PublishedForm, origin: str) -> bool:
    """Whether the form lists the origin, or any (``*``)."""
    return "*" in form.origins or origin.lower() in form.origins
