"""`make bench`: measure, compare with the targets, write var/bench/latest.json."""

import argparse
import sys
from importlib import import_module

from dev.console import fail, say
from dev.process import Interrupted, interruptible
from dev.state import VAR, AlreadyRunningError, only_one
from tests.benchmarks import machine, pgbench, results, wrk
from tests.benchmarks.ground import ground

# The name on the command line, and the module that measures it.
BENCHMARKS = {
    "capture": "capture_vs_pgbench",
    "drf": "capture_vs_plain_drf",
    "intake": "intake_rows_per_second",
    "lanes": "intake_lanes",
    "growth": "ledger_growth",
    "footprint": "footprint",
    "bounded": "bounded",
    "pages": "pages",
}
LATEST = VAR / "bench" / "latest.json"


def main() -> None:
    """Run all benchmarks, or some of them; end with status 1 when a target is missed."""
    if sys.platform != "linux":
        fail("The benchmarks tell costs and noise from Linux's /proc: run them on Linux.")
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS))
    parser.add_argument("--rounds", type=int, default=5, help="the figures are their medians")
    arguments = parser.parse_args()
    try:
        with interruptible(), only_one("bench"):
            measured = _measure(arguments.only, arguments.rounds)
    except AlreadyRunningError as other:
        fail(f"`make bench` is already active in this checkout (process {other}).")
    except RuntimeError as error:
        fail(str(error))
    except Interrupted:
        fail("Interrupted; every process was stopped and nothing was written.")
    results.keep(measured, LATEST)
    say(f"Noise is what others took, in cores of {machine.CORES}. All figures: {LATEST}")
    if any(each.passes is False for each in measured):
        fail("A target is missed.")


def _measure(names: list[str], rounds: int) -> list[results.Result]:
    wrk.ensure()
    pgbench.program()
    measured: list[results.Result] = []
    with ground() as shared:
        for name in names:
            say(f"Measuring {name} …")
            part = list(import_module(f"tests.benchmarks.{BENCHMARKS[name]}").run(shared, rounds))
            results.show(part)
            measured += part
    return measured


if __name__ == "__main__":
    main()
