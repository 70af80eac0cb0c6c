"""Parser of outbound URLs: accepts one spelling of each address and refuses every ambiguous one.

Two parsers that read one URL differently are how such checks are passed by. Here the parsed parts
are all that the connection uses; the original text is not read a second time.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import quote, urljoin, urlsplit

import idna

from leadgen.lib.net.http_errors import InvalidUrlError

# RFC 9110 section 4.1 recommends that every party accepts at least 8,000 characters.
MAX_CHARACTERS = 8_000
_DEFAULT_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:@%]+)(?::(?P<port>[1-9][0-9]{0,4}))?", re.A
)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.A)
# The WHATWG URL standard reads a host as IPv4 when its last label is a number, hex included.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.A)
_PATH_SAFE = "/%:@!$&'()*+,;=~"
_QUERY_SAFE = _PATH_SAFE + "?[]"


@dataclass(frozen=True, slots=True)
class OutboundUrl:
    """The parts of an http(s) URL; ``host`` is ASCII, lower case, without brackets."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> str:
        """Return scheme, host and port, which are safe to show in a message."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def address(self) -> IPv4Address | IPv6Address | None:
        """Return the address when the host is one, else None."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"


def parse(url: str) -> OutboundUrl:
    """Parse an absolute http(s) URL; raise InvalidUrlError naming what to change."""
    _check_characters(url)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InvalidUrlError("The URL has no valid host: write https://host/path.") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise InvalidUrlError("The URL must begin with https:// or http://.")
    host, port = _authority(parts.netloc)
    query = f"?{quote(parts.query, safe=_QUERY_SAFE)}" if parts.query else ""
    target = quote(parts.path, safe=_PATH_SAFE) or "/"
    return OutboundUrl(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], target + query)


def join(base: OutboundUrl, location: str) -> OutboundUrl:
    """Parse the Location of a redirect, relative to the URL that answered with it."""
    _check_characters(location)
    if not location.isascii():
        raise InvalidUrlError("The Location of a redirect must be ASCII (RFC 9110).")
    try:
        return parse(urljoin(str(base), location))
    except ValueError:
        raise InvalidUrlError("The Location of a redirect has no valid host.") from None


def _check_characters(url: str) -> None:
    if len(url) > MAX_CHARACTERS:
        raise InvalidUrlError(f"The URL is longer than {MAX_CHARACTERS:,} characters.")
    if not url.isprintable() or " " in url or "\\" in url:
        raise InvalidUrlError(
            "The URL has a space, a control or invisible character, or a backslash: remove it."
        )


def _authority(text: str) -> tuple[str, int]:
    if "@" in text:
        raise InvalidUrlError("The URL has a user name or password: send them as a header.")
    match = _AUTHORITY.fullmatch(text)
    if not match:
        raise InvalidUrlError(
            "The URL has no valid host and port: write https://host/ or https://host:port/,"
            " an IPv6 address in brackets without a zone."
        )
    port = int(match["port"] or 0)
    if port > 65_535:
        raise InvalidUrlError(f"The URL has the port {port}, which is above 65535.")
    return _host(match["host"]), port


def _host(text: str) -> str:
    if text.startswith("["):
        return _ipv6(text[1:-1])
    name = _ascii_name(text)
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _ipv4(name)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidUrlError("The host is not a valid name: letters, digits, hyphens and dots.")
    return name


def _ascii_name(text: str) -> str:
    """Return the host in lower case, by IDNA 2008 where it is not ASCII, without the root's dot."""
    if text.isascii():
        return text.lower().removesuffix(".")
    try:
        return idna.encode(text, uts46=True).decode().lower().removesuffix(".")
    except (idna.IDNAError, UnicodeError):
        raise InvalidUrlError(
            "The host is not a valid internationalised name: use its xn-- form."
        ) from None


def _ipv4(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise InvalidUrlError(
            "The host is a number: write an IPv4 address as four decimal numbers, without zeros"
            " in front."
        ) from None


def _ipv6(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except ValueError:
        raise InvalidUrlError("The host in brackets is not an IPv6 address.") from None
