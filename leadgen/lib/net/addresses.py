"""Public-address rule and allowed networks of the outbound HTTP client (ADR 0026)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from django.core.exceptions import ImproperlyConfigured

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

VARIABLE = "OUTBOUND_ALLOWED_NETWORKS"
DEFAULT_PORTS = (80, 443)

# `is_global` alone is not enough: Python 3.11.7 reports 192.0.0.192, 224.0.0.1, 64:ff9b:1::1,
# 2002:7f00:1::, 3fff::1 and fec0::1 as global. Sources: IANA's special-purpose registries for IPv4
# and IPv6 (RFC 6890); RFC 7526 for 192.88.99.0/24 and 2002::/16; RFC 9637 for 3fff::/20.
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        # Azure answers a virtual machine's own metadata on this address of the public range.
        "168.63.129.16/32",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
)
# The only block of IPv6 that IANA assigns to global unicast. The prefixes that carry an IPv4
# address (::/96, ::ffff:0:0/96, ::ffff:0:0:0/96, 64:ff9b:1::/48) lie outside.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# RFC 6052. DNS64 makes such addresses for every IPv4-only host in a network that has only IPv6.
_NAT64 = IPv6Network("64:ff9b::/96")
# Refused even inside an allowed network: none names one host, and 0.0.0.0 and ::ffff:127.0.0.1 are
# further spellings of this machine.
_NEVER: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "224.0.0.0/4",
        "255.255.255.255/32",
        "::/128",
        "::ffff:0:0/96",
        "ff00::/8",
    )
)
# Addresses that hand out a machine's credentials: most clouds, AWS over IPv6, Alibaba Cloud, Oracle
# Cloud, Google Cloud over IPv6, Azure.
_METADATA = tuple(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "fd00:ec2::254",
        "100.100.100.200",
        "192.0.0.192",
        "fd20:ce::254",
        "168.63.129.16",
    )
)
_ENTRY = re.compile(
    r"(?:\[(?P<bracketed>[0-9A-Fa-f:./]+)\]|(?P<ipv4>[0-9./]+))(?::(?P<port>[0-9]{1,5}))?"
    r"|(?P<plain>[0-9A-Fa-f:./]+)"
)


@dataclass(frozen=True, slots=True)
class AllowedNetwork:
    """A network that may be called although it is not public, on one port or on 80 and 443."""

    network: Network
    port: int | None = None

    def permits(self, address: Address, port: int) -> bool:
        """Tell whether this entry permits a connection to the address and port."""
        ports = DEFAULT_PORTS if self.port is None else (self.port,)
        return port in ports and address in self.network

    def metadata(self) -> list[Address]:
        """Return the cloud metadata addresses that this entry covers."""
        return [address for address in _METADATA if address in self.network]

    def __str__(self) -> str:
        return _entry(self.network, self.port)


def allowed_networks(texts: Iterable[str]) -> tuple[AllowedNetwork, ...]:
    """Parse the entries of OUTBOUND_ALLOWED_NETWORKS; raise ImproperlyConfigured by its name."""
    return tuple(_allowed_network(text) for text in texts)


def is_public(address: Address) -> bool:
    """Tell whether the address is global unicast and carries no private IPv4 address."""
    address = _translated(address)
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not _is_in(address, _NOT_PUBLIC)


def refusal(address: Address, port: int, allowed: Iterable[AllowedNetwork]) -> str:
    """Return why this address and port may not be called and what to change; empty if they may."""
    address = _translated(address)
    if getattr(address, "scope_id", None) or _is_in(address, _NEVER):
        return f"{address} can never be called; use the plain unicast address of the receiver"
    if any(entry.permits(address, port) for entry in allowed):
        return ""
    own = f"if this is a receiver of your own, add {_single(address, port)} to {VARIABLE}"
    if not is_public(address):
        return f"{address} is not a public address; {own}"
    if port not in DEFAULT_PORTS:
        return f"port {port} is neither 80 nor 443; use one of these, or {own}"
    return ""


def _translated(address: Address) -> Address:
    """Return the IPv4 address that a NAT64 gateway connects to, or the address itself."""
    if address.version == 6 and address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _single(address: Address, port: int) -> str:
    return _entry(ip_network(address), None if port in DEFAULT_PORTS else port)


def _entry(network: Network, port: int | None) -> str:
    if port is None:
        return str(network)
    return f"{network}:{port}" if network.version == 4 else f"[{network}]:{port}"


def _allowed_network(text: str) -> AllowedNetwork:
    match = _ENTRY.fullmatch(text)
    try:
        if not match:
            raise ValueError("it is neither a network nor a network and a port")
        network = match["plain"] or match["bracketed"] or match["ipv4"]
        return AllowedNetwork(ip_network(network), _port(match["port"]))
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{VARIABLE}: {text!r} cannot be used ({error}); write it such as 10.1.2.0/24,"
            " 10.1.2.3/32:8443, fd00:1::/64 or [fd00:1::/64]:8443."
        ) from None


def _port(text: str | None) -> int | None:
    if text and not 1 <= int(text) <= 65_535:
        raise ValueError(f"the port {text} is not between 1 and 65535")
    return int(text) if text else None
