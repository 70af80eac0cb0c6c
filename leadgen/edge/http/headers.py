"""Content security policy of hosted pages and CORS headers of the public API.

The headers that every answer has are in leadgen/processes/security_headers.py.
"""

import re
from collections.abc import Iterable

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
    return {
        "content-security-policy": "; ".join(
            (
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "img-src 'self' data:",
                "connect-src 'self'",
                # A redirect address is reached from the thank-you page (ADR 0032), no part of this.
                "form-action 'self'",
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
