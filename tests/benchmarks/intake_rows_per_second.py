"""How fast workers turn what waits into leads: one, two, and one with a million leads present.

``INSERT … SELECT`` of the very rows that intake wrote, into tables of the same structure without
foreign keys, is what PostgreSQL needs for them at the least.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from statistics import median

import psycopg

from tests.benchmarks import machine, planting
from tests.benchmarks.ground import LARGE, Ground
from tests.benchmarks.results import Result
from tests.benchmarks.site import ROOT, Site

ROWS = 10_000
_COMMAND = [sys.executable, "-m", "tests.benchmarks.inside", "draining"]


@dataclass(frozen=True)
class Run:
    """Rows a second of all workers together; CPU milliseconds for each row; noise in cores."""

    rows_per_second: float
    worker_ms: float
    postgres_ms: float
    noise: float


@dataclass
class Crew:
    """Warm worker processes on one Leadgen."""

    place: Site
    workers: list[subprocess.Popen[str]]
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    rows: int = ROWS
    repeated: int = 0

    def work(self) -> Run:
        """Plant the submissions, start all workers on them, and wait until none is left."""
        first = next(self.numbers) * self.rows
        planting.wait_for_intake(self.place, first, self.rows, repeated=self.repeated)
        roots = {f"worker {at}": worker.pid for at, worker in enumerate(self.workers)}
        postmaster = self.place.database.postmaster()
        with machine.watching({**roots, "postgres": postmaster}) as cost:
            seconds = self._drain()
        ours = sum(cost.cpu[name] for name in roots)
        return Run(
            self.rows / seconds,
            1000 * ours / self.rows,
            1000 * cost.cpu["postgres"] / self.rows,
            cost.steal + cost.others,
        )

    def empty(self) -> None:
        """Take away all rows that planting and intake have made."""
        self.place.database.query(f"TRUNCATE {', '.join(planting.TABLES)} CASCADE")

    def _drain(self) -> float:
        started = time.monotonic()
        for worker in self.workers:
            assert worker.stdin
            worker.stdin.write("go\n")
            worker.stdin.flush()
        for worker in self.workers:
            assert worker.stdout
            if not worker.stdout.readline():
                raise RuntimeError("A worker ended before its work was done.")
        return time.monotonic() - started


def run(ground: Ground, rounds: int) -> Iterator[Result]:
    """Yield rows a second for one and two workers, their costs, and the growth."""
    with ground.site("intake") as place, ExitStack() as stack:
        planting.seed(place)
        crews = {
            "1 worker": stack.enter_context(crew(place, 1)),
            "2 workers": stack.enter_context(crew(place, 2)),
            "large": stack.enter_context(crew(ground.grown(LARGE), 1)),
        }
        found = [_round(crews) for _ in range(rounds + 1)][1:]  # the first one warms up
    yield from _speeds([runs for runs, _ in found])
    yield from _ratios(found)


@contextmanager
def crew(place: Site, workers: int) -> Iterator[Crew]:
    """Start so many worker processes; end them on leaving."""
    with ExitStack() as stack:
        made = [stack.enter_context(_worker(place)) for _ in range(workers)]
        yield Crew(place, made)


@contextmanager
def _worker(place: Site) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        _COMMAND,
        env=place.environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _round(crews: dict[str, Crew]) -> tuple[dict[str, Run], float]:
    """One run of each crew, and the rows a second of the plain statements, one after the other."""
    crews["1 worker"].empty()
    alone = crews["1 worker"].work()
    plain = _insert_select(crews["1 worker"].place)
    large = crews["large"].work()
    crews["2 workers"].empty()
    together = crews["2 workers"].work()
    return {"1 worker": alone, "2 workers": together, "large": large}, plain


def _insert_select(place: Site) -> float:
    """Copy what intake wrote into like tables with one statement each, in one transaction."""
    with psycopg.connect(place.database.url) as connection:
        for table in planting.TABLES:
            connection.execute(f"CREATE TABLE copy_{table} (LIKE {table} INCLUDING ALL)".encode())
        connection.commit()
        started = time.monotonic()
        for table in planting.TABLES:
            connection.execute(f"INSERT INTO copy_{table} SELECT * FROM {table}".encode())
        connection.commit()
        seconds = time.monotonic() - started
        for table in planting.TABLES:
            connection.execute(f"DROP TABLE copy_{table}".encode())
    return ROWS / seconds


def _speeds(found: list[dict[str, Run]]) -> Iterator[Result]:
    for name, workers in (("1 worker", 1), ("2 workers", 2)):
        runs = [runs[name] for runs in found]
        yield Result(
            "intake_rows_per_second",
            f"{name}, rows/s each",
            [run.rows_per_second / workers for run in runs],
            unit="/s",
            at_least=3000 if workers == 1 else None,
            noise=median(run.noise for run in runs),
            detail={
                "worker CPU ms": median(run.worker_ms for run in runs),
                "PostgreSQL CPU ms": median(run.postgres_ms for run in runs),
            },
        )


def _ratios(found: list[tuple[dict[str, Run], float]]) -> Iterator[Result]:
    noise = median(runs["large"].noise for runs, _ in found)
    rounds = [
        ({name: run.rows_per_second for name, run in runs.items()}, plain) for runs, plain in found
    ]
    yield Result(
        "intake_rows_per_second",
        "2 workers / 1 worker",
        [rows["2 workers"] / rows["1 worker"] for rows, _ in rounds],
        noise=noise,
    )
    yield Result(
        "intake_rows_per_second",
        "a million leads / empty",
        [rows["large"] / rows["1 worker"] for rows, _ in rounds],
        at_least=0.8,
        noise=noise,
        detail={
            "worker CPU ms": median(runs["large"].worker_ms for runs, _ in found),
            "PostgreSQL CPU ms": median(runs["large"].postgres_ms for runs, _ in found),
        },
    )
    yield Result(
        "intake_rows_per_second",
        "1 worker / INSERT … SELECT",
        [rows["1 worker"] / plain for rows, plain in rounds],
        noise=noise,
        detail={"INSERT … SELECT rows/s": median(plain for _, plain in found)},
    )
