"""How many posts come from one address: counted in the process, in bounded memory."""

import ipaddress
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

WINDOW = 60


class Flood:
    """Posts by address in the current minute; the quietest addresses are forgotten first.

    Each web process counts for itself: the limits bound one process, not the deployment.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._counts: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def count(self, address: str, now: float) -> int:
        """Add a post at ``now`` (seconds) and return how many came in this minute, it included."""
        minute = int(now // WINDOW)
        seen_in, seen = self._counts.pop(_neighbourhood(address), (minute, 0))
        total = seen + 1 if seen_in == minute else 1
        self._counts[_neighbourhood(address)] = (minute, total)
        if len(self._counts) > self._most:
            self._counts.popitem(last=False)
        return total


def client_address(scope: Mapping[str, Any], forwarded_for: str, proxies: int) -> str:
    """Return the visitor's address: the connection's, or what our own proxies say.

    Each proxy appends whom it saw to X-Forwarded-For, so behind n proxies of ours the n-th entry
    from the right is the visitor; what stands left of it anybody may have written.
    """
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    if proxies and hops:
        return hops[-min(proxies, len(hops))]
    client = scope.get("client")
    return client[0] if client else ""


def _neighbourhood(address: str) -> str:
    """One household has a whole /64 of IPv6 addresses to post from."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address[:45]
    return str(int(ip) >> 64) if ip.version == 6 else address
