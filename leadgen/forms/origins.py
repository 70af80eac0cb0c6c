"""Web origins (RFC 6454), as browsers send them in the Origin header."""

import re
from urllib.parse import urlsplit

_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:]+:[0-9a-f:.]*")
_PORTS = {"http": 80, "https": 443}


def origin_of(address: str) -> str:
    """Return the origin of a URL, such as https://www.example.com; ``*`` is returned unchanged.

    A path is dropped. Raise ValueError for a text that is no http or https URL, and for a pattern.
    """
    if address == "*":
        return address
    parts = urlsplit(address)
    host = (parts.hostname or "").encode("idna").decode()
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host):
        raise ValueError(address)
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://" + (f"[{host}]" if ":" in host else host) + port
