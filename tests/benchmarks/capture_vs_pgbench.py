"""Accepted submissions through real HTTP, against pgbench inserting the same row.

Into the same table, with the same commit settings and number of clients, one right after the other.
pgbench validates nothing and sends nothing but the row: it is what the disk and PostgreSQL allow to
those who commit one row at a time.
"""

from collections.abc import Iterator
from statistics import median

from tests.benchmarks import pgbench
from tests.benchmarks.capture import TABLE, Run, Target, measure, web
from tests.benchmarks.ground import Ground
from tests.benchmarks.results import Result

_AT_LEAST = {16: 0.6, 64: 1.0}


def run(ground: Ground, rounds: int) -> Iterator[Result]:
    """Yield the ratio, latency and cost for 1, 16 and 64 clients."""
    with ground.site("capture") as place, web(place) as (_, target):
        baseline = pgbench.inserting(place.database, TABLE, place.folder)
        for clients in (1, 16, 64):
            pairs = [_pair(target, baseline, clients) for _ in range(rounds)]
            yield from _results(clients, pairs)


def _pair(target: Target, baseline: pgbench.Inserting, clients: int) -> tuple[Run, float]:
    target.empty()
    captured = measure(target, clients=clients, seconds=4)
    target.empty()
    return captured, baseline.run(clients, seconds=4)


def _results(clients: int, pairs: list[tuple[Run, float]]) -> Iterator[Result]:
    runs, rows = [run for run, _ in pairs], [rows for _, rows in pairs]
    noise = median(run.noise for run in runs)
    yield Result(
        "capture_vs_pgbench",
        f"{clients} clients",
        [run.accepted_per_second / rows for run, rows in pairs],
        at_least=_AT_LEAST.get(clients),
        noise=noise,
        detail={
            "accepted/s": median(run.accepted_per_second for run in runs),
            "pgbench/s": median(rows),
            "p50 ms": median(run.p50_ms for run in runs),
            "p99 ms": median(run.p99_ms for run in runs),
            "web CPU ms": median(run.web_ms for run in runs),
            "PostgreSQL CPU ms": median(run.postgres_ms for run in runs),
        },
    )
    yield Result(
        "capture_vs_pgbench",
        f"p99 / p50, {clients} clients",
        [run.p99_ms / run.p50_ms for run in runs],
        at_most=4.0 if clients == 64 else None,
        noise=noise,
    )
    yield Result(
        "capture_vs_pgbench",
        f"errors, {clients} clients",
        [max(run.errors for run in runs)],
        unit="",
        at_most=0,
        noise=noise,
    )
