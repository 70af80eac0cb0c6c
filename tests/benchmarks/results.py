"""What a benchmark found, held against its target; as a table and as JSON."""

import json
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from dev.console import paint, say
from tests.benchmarks import machine


@dataclass(frozen=True)
class Result:
    """One figure: the median of ``rounds``, with a bound or, for information, without one.

    ``noise`` is the median of what hypervisor and other processes took, in cores; ``detail`` are
    figures beside it, for the reader.
    """

    benchmark: str
    what: str
    rounds: Sequence[float]
    unit: str = "×"
    at_least: float | None = None
    at_most: float | None = None
    noise: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> float:
        return median(self.rounds)

    @property
    def passes(self) -> bool | None:
        """Whether the bound holds; None without a bound."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return self.value <= self.at_most if self.at_most is not None else None

    @property
    def target(self) -> str:
        if self.at_least is not None:
            return f"≥ {_figure(self.at_least)}"
        return f"≤ {_figure(self.at_most)}" if self.at_most is not None else ""


def show(results: Iterable[Result]) -> None:
    """Print the table: figure, range of its rounds, target and mark, noise, details."""
    say(
        paint(
            _connection("benchmark", "figure", "(rounds)", "target", "", "noise", "beside"), "bold"
        )
    )
    for each in results:
        say(_row(each))


def keep(results: Iterable[Result], path: Path) -> None:
    """Write the results, with the machine they were got on, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = [asdict(each) | {"value": each.value, "passes": each.passes} for each in results]
    about = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": machine.CORES,
        "platform": platform.platform(),
        "python": platform.python_version(),
    }
    path.write_text(json.dumps(about | {"results": found}, indent=2, ensure_ascii=False) + "\n")


def _row(each: Result) -> str:
    marks = {True: paint("✓", "green"), False: paint("✗", "red"), None: " "}
    rounds = f"({_figure(min(each.rounds))} to {_figure(max(each.rounds))})"
    noise = "" if each.noise is None else f"{each.noise:.2f}"
    beside = ", ".join(f"{name} {_figure(value)}" for name, value in each.detail.items())
    name = f"{each.benchmark}: {each.what}"
    figure = f"{_figure(each.value)} {each.unit}"
    return _connection(name, figure, rounds, each.target, marks[each.passes], noise, beside)


def _connection(name: str, figure: str, rounds: str, target: str, mark: str, *rest: str) -> str:
    noise, beside = rest
    return f"{name:<66} {figure:>10} {rounds:<18} {target:<7} {mark:1} {noise:>5}  {beside}"


def _figure(value: Any) -> str:
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
