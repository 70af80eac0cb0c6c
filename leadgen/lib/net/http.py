"""Outbound HTTP client: the only module that calls other hosts over HTTP (ADR 0026).

It connects to public addresses on ports 80 and 443, and to OUTBOUND_ALLOWED_NETWORKS. Each hop's
name is resolved once, all its addresses are checked, and the connection goes to a checked address;
Host, SNI and the certificate stay those of the name. Proxy variables and .netrc are not read,
connections are not reused. Call it from worker threads, never inside a database transaction.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

import urllib3
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection

from leadgen.lib.net.addresses import AllowedNetwork, refusal
from leadgen.lib.net.bounded_sockets import Budget, connect, default_tls_context
from leadgen.lib.net.http_errors import (
    AddressRefusedError,
    ConnectionFailedError,
    OutboundError,
    OutboundTimeoutError,
    TlsError,
    TooLargeError,
    TooManyRedirectsError,
)
from leadgen.lib.net.outbound_headers import checked_headers
from leadgen.lib.net.outbound_url import OutboundUrl, join, parse
from leadgen.lib.net.timeouts import run_with_timeout

Resolver = Callable[[str, int], Sequence[str]]

TIMEOUT_SECONDS = 10.0
MAX_BYTES = 1_048_576
MAX_REDIRECTS = 5
# Chromium allows 256 KiB and curl 300 KB of headers; Node.js, with the most servers, 16 KiB.
HEADER_BYTES = 65_536
# A chunk of 6 bytes has 5 or 6 bytes of framing, so twice the body holds every ordinary answer.
_WIRE_FACTOR = 2
_BLOCK_BYTES = 16_384
# A name with more addresses than that is tried no further: each may take CONNECT_SECONDS.
_CONNECT_ATTEMPTS = 4
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What goes on to another origin. Authorization, Cookie and headers that hold a key do not.
_HARMLESS_HEADERS = frozenset({"accept", "accept-language", "content-type", "user-agent"})


@dataclass(frozen=True, slots=True)
class OutboundResponse:
    """An answer whose body was read, decoded and bounded; ``url`` is that of the last hop."""

    status: int
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the first header of this name, in any case, or None."""
        matches = (value for key, value in self.headers if key.lower() == name.lower())
        return next(matches, None)


@dataclass(frozen=True, slots=True)
class _Hop:
    """One request of a chain of redirects."""

    method: str
    url: OutboundUrl
    body: bytes | None
    headers: Mapping[str, str]

    def redirected(self, status: int, location: str) -> "_Hop":
        """Return the request that this redirect asks for, as the Fetch standard does."""
        url = join(self.url, location)
        if self.url.scheme == "https" and url.scheme == "http":
            raise TlsError(
                f"{self.url.origin} redirects to {url.origin}, which is not encrypted: the"
                " receiver must redirect to https, or give its final address."
            )
        hop = replace(self, url=url, headers=self._headers_for(url))
        return hop._as_get() if self._becomes_get(status) else hop

    def _headers_for(self, url: OutboundUrl) -> Mapping[str, str]:
        if url.origin == self.url.origin:
            return self.headers
        return {key: self.headers[key] for key in self.headers if key.lower() in _HARMLESS_HEADERS}

    def _becomes_get(self, status: int) -> bool:
        if status == 303:
            return self.method not in ("GET", "HEAD")
        return status in (301, 302) and self.method == "POST"

    def _as_get(self) -> "_Hop":
        kept = {
            key: value
            for key, value in self.headers.items()
            if not key.lower().startswith("content-")
        }
        return replace(self, method="GET", body=None, headers=kept)


def system_resolver(host: str, port: int) -> list[str]:
    """Return the addresses of a name as the operating system resolves it, hosts file included."""
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An HTTP client with its allowed networks, its resolver and its certificate authorities."""

    allowed: tuple[AllowedNetwork, ...] = ()
    resolve: Resolver = system_resolver
    tls: ssl.SSLContext | None = None
    max_redirects: int = MAX_REDIRECTS

    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT_SECONDS,
        max_bytes: int = MAX_BYTES,
    ) -> OutboundResponse:
        """Send a request, follow its redirects and return the last answer, whatever its status.

        ``timeout`` is in seconds and bounds everything together: resolving, connecting, sending,
        all hops, reading. ``max_bytes`` bounds each decoded body. Raises OutboundError.
        """
        deadline = time.monotonic() + timeout
        hop = _Hop(method, parse(url), body, checked_headers(method, headers or {}))
        for _ in range(self.max_redirects + 1):
            response = self._exchange(hop, Budget(deadline), max_bytes)
            location = response.header("location")
            if response.status not in _REDIRECTS or location is None:
                return response
            hop = hop.redirected(response.status, location)
        raise TooManyRedirectsError(
            f"{hop.url.origin} is one redirect more than the {self.max_redirects} that are"
            " followed: use the final address."
        )

    def _exchange(self, hop: _Hop, budget: Budget, max_bytes: int) -> OutboundResponse:
        with _typed_errors(hop.url):
            addresses = self._checked_addresses(hop.url, budget)
            connection = self._connection(hop.url, addresses, budget)
            try:
                return _read_response(connection, hop, budget, max_bytes)
            finally:
                connection.end()

    def _checked_addresses(self, url: OutboundUrl, budget: Budget) -> list[str]:
        """Resolve the name once; return its addresses, or raise if one of them is refused."""
        addresses = self._addresses(url, budget)
        if not addresses:
            raise ConnectionFailedError(f"{url.host} has no address: check the name.")
        for address in addresses:
            if reason := refusal(ip_address(address), url.port, self.allowed):
                raise AddressRefusedError(f"{url.origin} may not be called: {reason}.")
        return addresses

    def _addresses(self, url: OutboundUrl, budget: Budget) -> list[str]:
        if url.address:
            return [str(url.address)]
        try:
            # getaddrinfo has no time limit of its own.
            return list(
                run_with_timeout(budget.seconds(), lambda: self.resolve(url.host, url.port))
            )
        except (socket.gaierror, UnicodeError) as error:
            raise ConnectionFailedError(
                f"{url.host} cannot be resolved ({error}): check the name and the DNS server."
            ) from error

    def _connection(
        self, url: OutboundUrl, addresses: Sequence[str], budget: Budget
    ) -> "_PinnedHttp":
        tried = addresses[:_CONNECT_ATTEMPTS]
        if url.scheme == "http":
            return _PinnedHttp(url, tried, budget)
        return _PinnedHttps(url, tried, budget, ssl_context=self.tls or default_tls_context())


def request(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT_SECONDS,
    max_bytes: int = MAX_BYTES,
) -> OutboundResponse:
    """Send a request as the deployment's settings allow; see Client.request."""
    client = Client(allowed=settings.OUTBOUND_ALLOWED_NETWORKS)
    return client.request(
        method, url, body=body, headers=headers, timeout=timeout, max_bytes=max_bytes
    )


class _PinnedHttp(HTTPConnection):
    """A connection to addresses that were checked; the host name only names it."""

    def __init__(
        self, url: OutboundUrl, addresses: Sequence[str], budget: Budget, **options: Any
    ) -> None:
        super().__init__(url.host, url.port, **options)
        self._addresses, self._budget = addresses, budget
        self._opened: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        self._opened = connect(self._addresses, self.port, self._budget)
        return self._opened

    def end(self) -> None:
        """Close the connection and its descriptor, also where urllib3 leaves a reader open.

        urllib3 2.8.0 raises on Content-Length "1, 2" without closing the reader that it was given.
        """
        self.close()
        if self._opened and (descriptor := self._opened.detach()) >= 0:
            socket.close(descriptor)


class _PinnedHttps(_PinnedHttp, HTTPSConnection):
    """The same over TLS, where the certificate must be that of the host name."""

    def connect(self) -> None:
        """Connect, verify the certificate, and put the encrypted socket on the budget as well."""
        super().connect()
        self._opened = self.sock
        self.sock.budget = self._budget  # type: ignore[union-attr]


def _read_response(
    connection: HTTPConnection, hop: _Hop, budget: Budget, max_bytes: int
) -> OutboundResponse:
    budget.allow(HEADER_BYTES, "headers")
    headers = {**hop.headers, "Connection": "close"}
    connection.request(hop.method, hop.url.target, hop.body, headers, preload_content=False)
    with closing(connection.getresponse()) as answer:
        budget.allow(_WIRE_FACTOR * max_bytes + HEADER_BYTES, "transferred body")
        body = _read_body(answer, max_bytes)
        return OutboundResponse(answer.status, str(hop.url), tuple(answer.headers.items()), body)


def _read_body(answer: urllib3.HTTPResponse, max_bytes: int) -> bytes:
    """Return the decoded body; urllib3 decompresses no more than a block at a time."""
    body = bytearray()
    for block in answer.stream(_BLOCK_BYTES):
        body += block
        if len(body) > max_bytes:
            raise TooLargeError(f"The answer has more than {max_bytes:,} bytes of decoded body.")
    return bytes(body)


@contextmanager
def _typed_errors(url: OutboundUrl) -> Iterator[None]:
    """Raise the client's own errors in place of those of sockets, TLS and parsers."""
    try:
        yield
    except OutboundError:
        raise
    except (TimeoutError, urllib3.exceptions.TimeoutError) as error:
        raise OutboundTimeoutError(
            f"{url.origin} did not answer in time: check the receiver, or raise the time limit."
        ) from error
    except (ssl.SSLError, urllib3.exceptions.SSLError) as error:
        raise TlsError(
            f"TLS with {url.origin} failed ({error}): the certificate must be valid for this name"
            " and its authority trusted (SSL_CERT_FILE)."
        ) from error
    except (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError) as error:
        raise ConnectionFailedError(
            f"{url.origin} cannot be reached, or its answer is not valid HTTP"
            f" ({type(error).__name__}): check the receiver."
        ) from error
