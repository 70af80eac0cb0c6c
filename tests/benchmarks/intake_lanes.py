"""How intake scales with worker processes: 1, 2, 4 and 8, each with two batches at once.

With 5 ms more for each statement the processes wait for the network, as they do for a database in
another zone; small batches let the waiting decide on a machine of two cores. Without the delay,
and with batches of the usual size, the processors decide.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from statistics import median
from urllib.parse import urlsplit

from tests.benchmarks import planting
from tests.benchmarks.ground import Ground
from tests.benchmarks.intake_rows_per_second import Crew, Run, crew
from tests.benchmarks.results import Result
from tests.benchmarks.site import ROOT, Site

PROCESSES = (1, 2, 4, 8)
DELAY_SECONDS = 0.005
_COMMAND = [sys.executable, "-m", "tests.benchmarks.latency_proxy"]


@dataclass(frozen=True)
class Setting:
    """A way of measuring: its name, the rows of a batch and of a run, and whether it is delayed."""

    name: str
    batch_rows: int
    rows: int
    is_delayed: bool
    at_least: float | None = None


SETTINGS = (
    Setting("5 ms, batches of 25", 25, 2_000, is_delayed=True, at_least=3),
    Setting("5 ms, batches of 500", 500, 10_000, is_delayed=True),
    Setting("no delay, batches of 500", 500, 10_000, is_delayed=False),
)


def run(ground: Ground, rounds: int) -> Iterator[Result]:
    """Yield the rows a second of each number of processes, and eight against one."""
    with ground.site("lanes") as place, _proxy(place.database.url) as delayed_url:
        planting.seed(place)
        for setting in SETTINGS:
            url = delayed_url if setting.is_delayed else place.database.url
            yield from _measure(_adapt(place, setting, url), setting, rounds)


def _adapt(place: Site, setting: Setting, url: str) -> Site:
    changes = {"DATABASE_URL": url, "INTAKE_BATCH_ROWS": str(setting.batch_rows)}
    return replace(place, environment=place.environment | changes)


def _measure(place: Site, setting: Setting, rounds: int) -> Iterator[Result]:
    with ExitStack() as stack:
        crews = {number: stack.enter_context(crew(place, number)) for number in PROCESSES}
        for each in crews.values():
            each.rows, each.repeated = setting.rows // 4, 3
            _work(each)  # the first run warms up
            each.rows = setting.rows
        found = [{number: _work(each) for number, each in crews.items()} for _ in range(rounds)]
    for number in PROCESSES:
        yield _speed(setting, number, [runs[number] for runs in found])
    yield Result(
        "intake_lanes",
        f"{setting.name}: 8 / 1",
        [runs[8].rows_per_second / runs[1].rows_per_second for runs in found],
        at_least=setting.at_least,
        noise=median(run.noise for runs in found for run in runs.values()),
    )


def _work(each: Crew) -> Run:
    each.empty()
    return each.work()


def _speed(setting: Setting, number: int, runs: list[Run]) -> Result:
    return Result(
        "intake_lanes",
        f"{setting.name}: {number}",
        [run.rows_per_second for run in runs],
        unit="/s",
        noise=median(run.noise for run in runs),
        detail={
            "worker CPU ms": median(run.worker_ms for run in runs),
            "PostgreSQL CPU ms": median(run.postgres_ms for run in runs),
        },
    )


@contextmanager
def _proxy(url: str) -> Iterator[str]:
    """Yield the URL of the same database behind the delay."""
    parts = urlsplit(url)
    process = subprocess.Popen(
        [*_COMMAND, parts.hostname or "", str(parts.port or 5432), str(DELAY_SECONDS)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        port = process.stdout.readline().strip()
        host = f"{parts.username}:{parts.password}@127.0.0.1:{port}"
        yield parts._replace(netloc=host).geturl()
    finally:
        process.kill()
        process.communicate()
