"""Content security policy of hosted pages and CORS headers of the public API.

The headers that every answer has are in leadgen/processes/security_headers.py.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.utils.encoding import iri_to_uri

from leadgen.edge.http.messages import Request
from leadgen.edge.http.origins import is_allowed, is_own
from leadgen.forms.published import PublishedForm

OPEN_CORS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "Retry-After, X-Request-ID",
}
_SOURCE = re.compile(r"\*|https?://[A-Za-z0-9.:*\[\]-]+")


def page_headers(form: PublishedForm | None) -> dict[str, str]:
    """Return the security headers of a page for visitors."""
    origins = form.origins if form else ()
    redirect = form.definition.redirect_url if form else ""
    return {
        "content-security-policy": "; ".join(
            (
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "img-src 'self' data:",
                # Chromium applies form-action to the redirect after a post too.
                _directive("form-action 'self'", [_origin(redirect)]),
                "base-uri 'none'",
                _directive("frame-ancestors 'self'", sorted(origins)),
            )
        ),
        "referrer-policy": "strict-origin-when-cross-origin",
    }


def cors_headers(form: PublishedForm, request: Request) -> dict[str, str]:
    """Return the CORS headers, which let an allowed website read the response."""
    origin = request.headers.get("origin")
    if origin is None or not (is_own(origin, request) or is_allowed(form, origin)):
        return {"vary": "Origin"}
    return {
        "vary": "Origin",
        "access-control-allow-origin": origin,
        "access-control-expose-headers": "Idempotent-Replayed, Retry-After, X-Request-ID",
    }


def _directive(start: str, sources: Iterable[str]) -> str:
    return " ".join([start, *(source for source in sources if _SOURCE.fullmatch(source))])


def _origin(url: str) -> str:
    parts = urlsplit(iri_to_uri(url))
    return f"{parts.scheme}://{parts.netloc}"
