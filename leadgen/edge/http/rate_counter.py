"""Rate counter: posts by client address and minute (fixed window), in bounded memory."""

from collections import OrderedDict

from leadgen.lib.net.ip import packed_network

WINDOW = 60


class RateCounter:
    """Posts by network in the current minute; least recently used networks are evicted first.

    Each web process has its own counter: the limits bound one process, not the deployment.
    """

    def __init__(self, max_entries: int = 10_000) -> None:
        self._max_entries = max_entries
        self._counts: OrderedDict[bytes, tuple[int, int]] = OrderedDict()

    def count(self, address: str, now: float) -> int:
        """Add a post at ``now`` (Unix seconds); return the number of this minute, including it."""
        minute = int(now // WINDOW)
        network = packed_network(address)
        counted_minute, count = self._counts.pop(network, (minute, 0))
        total = count + 1 if counted_minute == minute else 1
        self._counts[network] = (minute, total)
        if len(self._counts) > self._max_entries:
            self._counts.popitem(last=False)
        return total
