"""Memory of each process after load, and the time from start to ready."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from dev.process import wait_until
from tests.benchmarks import machine
from tests.benchmarks.capture import TABLE, measure, target_of
from tests.benchmarks.ground import Ground
from tests.benchmarks.results import Result
from tests.benchmarks.site import Site
from tests.stack import Stack, running


@dataclass(frozen=True)
class Measured:
    """Seconds until each role was ready, and the sizes of each of its processes in MiB."""

    ready: dict[str, float]
    memory: dict[str, list[dict[str, float]]]


def run(ground: Ground, rounds: int) -> Iterator[Result]:
    """Yield seconds to ready, and the largest process of each role; fewer rounds will do."""
    with ground.site("footprint") as place:
        found = [_measure(place) for _ in range(min(rounds, 3))]
    for role in ("web", "worker"):
        yield Result(
            "footprint",
            f"{role}, start to ready",
            [each.ready[role] for each in found],
            unit="s",
        )
        for kind in ("RSS", "PSS"):
            yield Result(
                "footprint",
                f"{role}, {kind} of its largest process",
                [max(size[kind] for size in each.memory[role]) for each in found],
                unit="MiB",
                detail={
                    "processes": len(found[0].memory[role]),
                    "all": sum(size[kind] for size in found[0].memory[role]),
                },
            )


def _measure(place: Site) -> Measured:
    started = time.monotonic()
    # Celery says at this level only that it is ready.
    env = place.environment | {"CELERY_WORKER_LOGLEVEL": "INFO"}
    with running(place.folder, env, roles=("web",)) as stack:
        ready = {"web": time.monotonic() - started, "worker": _start_worker(stack)}
        measure(target_of(place, stack), clients=64, seconds=3)
        wait_until(lambda: _nothing_waits(place), "The end of intake", seconds=120)
        return Measured(ready, {role: _memory(stack, role) for role in ready})


def _start_worker(stack: Stack) -> float:
    (stack.folder / "worker.log").unlink(missing_ok=True)  # the round before was ready as well
    started = time.monotonic()
    stack.start("worker")
    wait_until(lambda: " ready." in stack.log("worker"), "The worker")
    return time.monotonic() - started


def _nothing_waits(place: Site) -> bool:
    waiting = "state IN ('received', 'accepted') AND parked_at IS NULL"
    return place.database.count(f"{TABLE} WHERE {waiting}") == 0


def _memory(stack: Stack, role: str) -> list[dict[str, float]]:
    return [machine.memory(pid) for pid in machine.descendants(stack.processes[role].pid)]
