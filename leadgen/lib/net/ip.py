"""Client addresses of requests: read behind trusted proxies, and grouped into networks."""

import ipaddress
import re
import socket
from collections.abc import Mapping
from typing import Any

# Size of a network for limits: a provider gives one subscriber a whole /64 of IPv6 (RFC 6177),
# and neighbours in a /24 of IPv4 are commonly rented together.
_IPV4_PREFIX = 24
_IPV6_PREFIX = 64
# An IPv4 address mapped into IPv6 begins with these bytes (RFC 4291 section 2.5.5.2).
_MAPPED = bytes(10) + b"\xff\xff"
_WITH_PORT = re.compile(r"\[(?P<six>[^\]]+)\](?::\d+)?|(?P<four>[^:\[\]]+):\d+")

UNKNOWN = "unknown"


def client_address(peer: str, forwarded_for: str, proxies: int) -> str:
    """Return the client's address: the connection's peer, or the entry that our own proxies added.

    Each proxy appends its peer to X-Forwarded-For, so behind n proxies of ours the n-th entry from
    the right is the client. Entries left of it are sent by the client and are ignored. A port
    that a proxy appends (Azure Application Gateway, AWS ALB by option) is cut off.
    """
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    if proxies > 0 and hops:
        return _without_port(hops[-min(proxies, len(hops))])
    return _without_port(peer)


def scope_address(scope: Mapping[str, Any], forwarded_for: str, proxies: int) -> str:
    """Return the client's address of an ASGI request; empty when the connection has none."""
    peer = scope.get("client")
    return client_address(peer[0] if peer else "", forwarded_for, proxies)


def network(address: str) -> str:
    """Return the /24 or /64 of an address in CIDR notation; UNKNOWN for anything else.

    An IPv4 address mapped into IPv6 belongs to its /24.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    prefix = _IPV4_PREFIX if parsed.version == 4 else _IPV6_PREFIX
    return str(ipaddress.ip_network((parsed, prefix), strict=False))


def _without_port(entry: str) -> str:
    match = _WITH_PORT.fullmatch(entry)
    return (match["six"] or match["four"]) if match else entry


def packed_address(address: str) -> bytes:
    """Return 4 bytes of an IPv4 address (also one mapped into IPv6), 16 of IPv6, else none.

    The ipaddress module is not used: it costs more than all other steps on an address.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        packed = socket.inet_pton(family, address.partition("%")[0])
    except (OSError, ValueError):
        return b""
    return packed.removeprefix(_MAPPED)


def packed_network(address: str) -> bytes:
    """Return the IPv4 address, or the /64 network of an IPv6 address (one subscriber, RFC 6177)."""
    return packed_address(address)[:8] or address[:45].encode()
