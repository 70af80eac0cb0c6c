"""Share of recent submissions from one private network, and share that is held as a flood.

Behind a proxy that hides the visitors' addresses all of them are one address, which reaches the
limit of a flood: 123 of 200 posts were held for review, and nothing told.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network

from django.utils import timezone

from leadgen.capture.models import Submission
from leadgen.capture.reasons import ReviewReason

# The newest ones, read by the primary key, whose UUIDv7 begin with the time.
MAX_ROWS = 1000
SPAN = timedelta(hours=1)
# Fewer submissions tell nothing: a test from inside the network is one of three.
MIN_ROWS = 20
MAX_PRIVATE = 0.5
MAX_FLOOD = 0.2
# Private (RFC 1918, 4193), shared by carriers and clusters (6598), link-local and loopback ranges.
# Not ``is_private``, which has ranges for documentation too. "::" is the truncated ::1.
_PRIVATE = [
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::/128",
    )
]


@dataclass(frozen=True, slots=True)
class VisitorShares:
    """Number of recent submissions, and shares among them from 0 to 1.

    ``private`` is the share of the most frequent private network; an intranet has several.
    """

    rows: int
    private: float
    flood: float

    @property
    def advice(self) -> str:
        """Return what is suspicious and the setting that fixes it; empty when nothing is."""
        if self.rows < MIN_ROWS:
            return ""
        if self.private > MAX_PRIVATE:
            return (
                f"{self.private:.0%} of the last {self.rows} submissions come from one private"
                " network: a proxy seems to hide the visitors. Set TRUSTED_PROXIES to the number"
                " of proxies in front, and have each pass X-Forwarded-For on."
            )
        if self.flood > MAX_FLOOD:
            return (
                f"{self.flood:.0%} of the last {self.rows} submissions are held as a flood from"
                " one address: check TRUSTED_PROXIES, CAPTURE_FLOOD_PER_MINUTE and the review."
            )
        return ""


def read_shares() -> VisitorShares:
    """Return the shares of the newest submissions of the last hour, MAX_ROWS at most."""
    newest = Submission.objects.order_by("-id").values_list(
        "received_at", "reasons", "context__address"
    )[:MAX_ROWS]
    since = timezone.now() - SPAN
    rows = [(reasons, network) for at, reasons, network in newest if at >= since]
    count = len(rows) or 1
    private = Counter(network for _, network in rows if _is_private(network))
    flood = sum(ReviewReason.FLOOD in reasons for reasons, _ in rows)
    return VisitorShares(len(rows), max(private.values(), default=0) / count, flood / count)


def _is_private(network: object) -> bool:
    try:
        address = ip_address(str(network))
    except ValueError:
        return False
    return any(address in private for private in _PRIVATE)
