"""How many posts come from one address: counted in the process, in bounded memory."""

import socket
from collections import OrderedDict

WINDOW = 60
_MAPPED = bytes(10) + b"\xff\xff"


class Flood:
    """Posts by address in the current minute; the quietest addresses are forgotten first.

    Each web process counts for itself: the limits bound one process, not the deployment.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._counts: OrderedDict[bytes, tuple[int, int]] = OrderedDict()

    def count(self, address: str, now: float) -> int:
        """Add a post at ``now`` (seconds) and return how many came in this minute, it included."""
        minute = int(now // WINDOW)
        neighbourhood = network(address)
        seen_in, seen = self._counts.pop(neighbourhood, (minute, 0))
        total = seen + 1 if seen_in == minute else 1
        self._counts[neighbourhood] = (minute, total)
        if len(self._counts) > self._most:
            self._counts.popitem(last=False)
        return total


def packed_address(address: str) -> bytes:
    """Return 4 bytes of an IPv4 address (also one mapped into IPv6), 16 of IPv6, else none.

    Not the ipaddress module: it costs more than all else that is done with an address.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        packed = socket.inet_pton(family, address.partition("%")[0])
    except (OSError, ValueError):
        return b""
    return packed.removeprefix(_MAPPED)


def network(address: str) -> bytes:
    """Return the IPv4 address, or the /64 of IPv6 addresses that one household has."""
    return packed_address(address)[:8] or address[:45].encode()
