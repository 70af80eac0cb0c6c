"""How many submissions a second one machine takes, and what each costs.

``python -m tests.benchmarks.capture --clients 64 --seconds 4 --rounds 3``
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dev.console import fail, say
from dev.process import Interrupted, interruptible
from dev.state import AlreadyRunningError, only_one
from tests.benchmarks import machine, wrk
from tests.benchmarks.site import BODY, Database, Site, server, site
from tests.stack import Stack, running

TABLE = "capture_submission"


@dataclass(frozen=True)
class Target:
    """Something that takes posts and writes a row of ``table`` for each."""

    url: str
    body: dict[str, object]
    database: Database
    table: str
    roots: dict[str, int]

    def empty(self) -> None:
        self.database.query(f"TRUNCATE {self.table} CASCADE")


@dataclass(frozen=True)
class Run:
    """One bounded load. CPU milliseconds are per accepted post, noise is in cores."""

    accepted_per_second: float
    p50_ms: float
    p99_ms: float
    errors: int
    web_ms: float
    postgres_ms: float
    wrk_ms: float
    steal: float
    others: float

    @property
    def noise(self) -> float:
        """What was taken from the run, in cores."""
        return self.steal + self.others

    def __str__(self) -> str:
        return (
            f"{self.accepted_per_second:7.0f}/s  p50 {self.p50_ms:6.1f}  p99 {self.p99_ms:6.1f} ms"
            f"  errors {self.errors}  CPU ms each: web {self.web_ms:.3f},"
            f" PostgreSQL {self.postgres_ms:.3f}, wrk {self.wrk_ms:.3f}"
            f"  noise: steal {self.steal:.2f}, others {self.others:.2f} of {machine.CORES} cores"
        )


def measure(target: Target, *, clients: int, seconds: int) -> Run:
    """Post for so long, and hold what was acknowledged against what the table got."""
    before = target.database.count(target.table)
    with machine.watching(target.roots) as cost:
        load = wrk.post(target.url, target.body, clients=clients, seconds=seconds)
    stored = target.database.count(target.table) - before
    return Run(
        load.accepted / load.seconds,
        load.p50_ms,
        load.p99_ms,
        # What was in flight when wrk hung up may be stored as well; what was promised must be.
        load.refused + load.broken + max(0, load.accepted - stored),
        1000 * cost.cpu["web"] / max(1, load.accepted),
        1000 * cost.cpu["postgres"] / max(1, load.accepted),
        1000 * load.cpu_seconds / max(1, load.accepted),
        cost.steal,
        cost.others,
    )


@contextmanager
def web(place: Site) -> Iterator[tuple[Stack, Target]]:
    """Run the web role, warmed up, for as long as the context lasts."""
    with running(place.folder, place.environment, roles=("web",)) as stack:
        target = target_of(place, stack)
        warm_up(target)
        yield stack, target


def target_of(place: Site, stack: Stack) -> Target:
    """The form of this Leadgen, on its running web role."""
    roots = {"web": stack.processes["web"].pid, "postgres": place.database.postmaster()}
    return Target(place.submissions(stack.url), BODY, place.database, TABLE, roots)


def warm_up(target: Target) -> None:
    """Load the target for a second; raise RuntimeError with its answer when it takes nothing."""
    if measure(target, clients=8, seconds=1).errors:
        raise RuntimeError(
            f"{target.url} does not take the body: {wrk.answer(target.url, target.body)}"
        )


def main() -> None:
    """Load the web role round by round and print each round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    try:
        with interruptible(), only_one("bench"):
            _rounds(given.rounds, given.clients, given.seconds)
    except AlreadyRunningError as other:
        fail(f"A benchmark is already active in this checkout (process {other}).")
    except RuntimeError as error:
        fail(str(error))
    except Interrupted:
        fail("Interrupted; every process was stopped.")


def _rounds(rounds: int, clients: list[int], seconds: int) -> None:
    wrk.ensure()
    with server() as url, site(url, "capture") as place, web(place) as (_, target):
        for _ in range(rounds):
            for count in clients:
                run = measure(target, clients=count, seconds=seconds)
                say(f"{count:>3} clients {run}")


if __name__ == "__main__":
    main()
