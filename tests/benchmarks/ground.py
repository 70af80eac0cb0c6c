"""What several benchmarks share, made when the first one asks for it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cached_property

from dev import rabbitmq
from dev.console import say
from tests.benchmarks import planting, site
from tests.benchmarks.site import Site

LARGE = 1_000_000


class Ground:
    """The servers and the ledgers of every size; all of it goes when the context is left."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        self.url, self._stack = url, stack
        self._grown: dict[int, Site] = {}

    def site(self, name: str, broker_url: str = "") -> AbstractContextManager[Site]:
        """A Leadgen of its own with an empty ledger."""
        return site.site(self.url, name, broker_url)

    @cached_property
    def rabbitmq_url(self) -> str:
        rabbitmq.ensure()
        broker = self._stack.enter_context(rabbitmq.server())
        broker.wait()
        return broker.environment["TEST_RABBITMQ_URL"]

    def grown(self, leads: int) -> Site:
        """A Leadgen with so many leads and all that belongs to them; benchmarks share it."""
        if leads not in self._grown:
            say(f"Planting {leads:,} leads …")
            place = self._stack.enter_context(self.site(f"with_{leads}"))
            planting.seed(place)
            planting.grow(place, leads)
            self._grown[leads] = place
        return self._grown[leads]


@contextmanager
def ground() -> Iterator[Ground]:
    """Yield the ground that benchmarks stand on; stop every server on leaving."""
    with site.server() as url, ExitStack() as stack:
        yield Ground(url, stack)
