"""Web origins (RFC 6454), as browsers send them in the Origin header."""

import re
from contextlib import suppress
from urllib.parse import urlsplit

import idna

_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:]+:[0-9a-f:.]*")
_PORTS = {"http": 80, "https": 443}


def origin_of(address: str) -> str:
    """Return the origin of a URL, such as https://www.example.com; ``*`` is returned unchanged.

    A path is dropped. Raise ValueError for a text that is no http or https URL, and for a pattern.
    """
    if address == "*":
        return address
    parts = urlsplit(address)
    host = _ascii_host(parts.hostname or "")
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host):
        raise ValueError(address)
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://" + (f"[{host}]" if ":" in host else host) + port


def _ascii_host(host: str) -> str:
    """Return the host as browsers write it: by IDNA 2008 with the mapping of UTS 46.

    Python's own codec is IDNA 2003, which makes another website of ``ß`` and of a final sigma. It
    serves names that IDNA 2008 does not allow and browsers do, such as those with an emoji.
    """
    if not host.isascii():
        with suppress(idna.IDNAError):
            return idna.encode(host, uts46=True).decode()
    return host.encode("idna").decode()
