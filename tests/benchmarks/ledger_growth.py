"""What a million leads add to the time of a capture and of the lead list.

The same Leadgen at three sizes, all running at once and asked in turn; each figure is held against
the smallest size in the same round.
"""

import http.client
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from urllib.parse import urlsplit

from tests.benchmarks import machine
from tests.benchmarks.capture import Target, measure, web
from tests.benchmarks.ground import LARGE, Ground
from tests.benchmarks.results import Result
from tests.benchmarks.site import inside

SIZES = (1_000, 100_000, LARGE)
_VIEWS = 20
# Leads are spread over two years: a page in the middle of them all.
_MIDDLE = (datetime.now(UTC) - timedelta(days=365)).date()
_PAGES = {
    "lead list": "/admin/leads/lead/?view=all",
    "lead list, middle": f"/admin/leads/lead/?view=all&created_at_to={_MIDDLE}",
}

# For each action the milliseconds that it took at each size.
Times = dict[str, dict[int, float]]


@dataclass(frozen=True)
class Size:
    """A Leadgen with many leads, to be posted to and looked at."""

    target: Target
    address: str
    cookie: str

    def view(self, path: str) -> float:
        """Return the milliseconds until a list with leads has arrived."""
        connection = http.client.HTTPConnection(self.address, timeout=30)
        started = time.monotonic()
        connection.request("GET", path, headers={"Cookie": self.cookie})
        answer = connection.getresponse()
        page = answer.read()
        seconds = time.monotonic() - started
        connection.close()
        if answer.status != 200 or b"Augusta Example" not in page:
            raise RuntimeError(f"{path} shows no leads (status {answer.status}).")
        return 1000 * seconds


def run(ground: Ground, rounds: int) -> Iterator[Result]:
    """Yield the growth of each action at each size."""
    with ExitStack() as stack:
        sizes = {leads: _size(ground, leads, stack) for leads in SIZES}
        roots = {str(leads): size.target.roots["web"] for leads, size in sizes.items()}
        roots["postgres"] = sizes[LARGE].target.roots["postgres"]
        with machine.watching(roots) as cost:
            found = [_round(sizes) for _ in range(rounds)]
    for action in found[0]:
        yield from _results(action, [times[action] for times in found], cost.steal + cost.others)


def _size(ground: Ground, leads: int, stack: ExitStack) -> Size:
    place = ground.grown(leads)
    running, target = stack.enter_context(web(place))
    return Size(target, urlsplit(running.url).netloc, inside(place.environment, "login"))


def _round(sizes: dict[int, Size]) -> Times:
    times: Times = {}
    for clients in (1, 16):
        runs = {
            leads: measure(size.target, clients=clients, seconds=2) for leads, size in sizes.items()
        }
        name = f"capture, {clients} clients"
        times[name] = {leads: run.p50_ms for leads, run in runs.items()}
        times[f"{name}, CPU"] = {leads: run.web_ms + run.postgres_ms for leads, run in runs.items()}
    for name, path in _PAGES.items():
        # The sizes take turns: what disturbs one of them disturbs the others as much.
        views = [{leads: size.view(path) for leads, size in sizes.items()} for _ in range(_VIEWS)]
        times[name] = {leads: median(view[leads] for view in views) for leads in sizes}
    return times


def _results(action: str, found: list[dict[int, float]], noise: float) -> Iterator[Result]:
    smallest = SIZES[0]
    for leads in SIZES[1:]:
        yield Result(
            "ledger_growth",
            f"{action}, {leads:,} / {smallest:,}",
            [times[leads] / times[smallest] for times in found],
            at_most=1.3 if leads == LARGE and not action.endswith("CPU") else None,
            noise=noise,
            detail={
                f"ms at {size:,}": median(times[size] for times in found)
                for size in (smallest, leads)
            },
        )
