"""Origin checks: the websites that may send a form."""

from functools import lru_cache

from django.conf import settings

from leadgen.edge.http.messages import Request
from leadgen.forms.origins import origin_of
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


def has_hidden_origin(request: Request) -> bool:
    """Return whether a page of this server sends, and its Referrer-Policy hides its origin.

    With ``no-referrer``, set by a proxy or a browser extension, the Origin of a page's own post is
    ``null``. No script can set Sec-Fetch-Site; of a sandboxed frame it is ``cross-site``.
    """
    is_same = request.headers.get("sec-fetch-site") == "same-origin"
    return is_same and request.headers.get("origin") == "null"


def is_own(origin: str, request: Request) -> bool:
    """Return whether the whole origin is this server's, by PUBLIC_URL or by the Host header."""
    if origin == settings.PUBLIC_URL:
        return True
    normalized, public = _normalized(origin), _normalized(settings.PUBLIC_URL)
    if not normalized or normalized == public:
        return bool(normalized)
    # http of a host that visitors reach over https is a page that someone put in between.
    if normalized == public.replace("https://", "http://", 1):
        return False
    host = request.headers.get("host", "")
    return normalized in {_normalized(f"{scheme}://{host}") for scheme in _schemes(request)}


def is_allowed(form: PublishedForm, origin: str) -> bool:
    """Return whether the form allows the origin, or any (``*``)."""
    return "*" in form.origins or origin in form.origins or _normalized(origin) in form.origins


def _schemes(request: Request) -> set[str]:
    """Return the schemes of the visitor's address, as far as they are known.

    A proxy that ends TLS names the scheme in X-Forwarded-Proto, or serves that of PUBLIC_URL. Under
    TRUSTED_PROXIES=0 there may be one all the same.
    """
    public = settings.PUBLIC_URL.partition("://")[0]
    if not settings.TRUSTED_PROXIES:
        return {request.scheme, public}
    named = request.headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
    return {named or public}


@lru_cache(1000)
def _normalized(origin: str) -> str:
    """Return the origin in lower case without the scheme's own port; empty for any other text."""
    try:
        return origin_of(origin) if origin != "*" else ""
    except (ValueError, UnicodeError):
        return ""
