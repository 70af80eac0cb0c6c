"""How many posts come from one address: counted in the process, in bounded memory."""

from collections import OrderedDict

from leadgen.lib.net.ip import packed_network

WINDOW = 60


class RateCounter:
    """Posts by address in the current minute; the quietest addresses are forgotten first.

    Each web process counts for itself: the limits bound one process, not the deployment.
    """

    def __init__(self, max_entries: int = 10_000) -> None:
        self._max_entries = max_entries
        self._counts: OrderedDict[bytes, tuple[int, int]] = OrderedDict()

    def count(self, address: str, now: float) -> int:
        """Add a post at ``now`` (seconds) and return how many came in this minute, it included."""
        minute = int(now // WINDOW)
        neighbourhood = packed_network(address)
        seen_in, seen = self._counts.pop(neighbourhood, (minute, 0))
        total = seen + 1 if seen_in == minute else 1
        self._counts[neighbourhood] = (minute, total)
        if len(self._counts) > self._max_entries:
            self._counts.popitem(last=False)
        return total
