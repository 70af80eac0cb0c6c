"""Checks of the method and the headers of an outbound request."""

import re
from collections.abc import Mapping

from leadgen.lib.net.http_errors import InvalidRequestError

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# A request's framing and target are the client's: a second Host or length is request smuggling.
_RESERVED_HEADERS = frozenset(
    {"connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding"}
    | {"accept-encoding", "keep-alive", "proxy-authorization", "proxy-connection", "upgrade"}
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.A)
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*", re.A)


def checked_headers(method: str, headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers to send; raise InvalidRequestError for what would break the framing."""
    if method not in _METHODS:
        raise InvalidRequestError(f"The method {method!r} is not one of {sorted(_METHODS)}.")
    if reserved := sorted(_RESERVED_HEADERS & {name.lower() for name in headers}):
        raise InvalidRequestError(f"The client sets these headers itself: {', '.join(reserved)}.")
    for name, value in headers.items():
        if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
            raise InvalidRequestError(
                f"The header {name!r} must have a name without spaces and a printable ASCII value."
            )
    named = "user-agent" in {name.lower() for name in headers}
    return dict(headers) if named else {**headers, "User-Agent": "Leadgen"}
