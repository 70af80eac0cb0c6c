"""What processes cost, and what else went on meanwhile: read from Linux's /proc."""

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

CORES = os.cpu_count() or 1
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Cost:
    """CPU seconds of the watched processes by name, and the machine's noise in cores.

    ``steal`` was taken by the hypervisor, ``others`` by processes that are no part of the run.
    """

    cpu: dict[str, float] = field(default_factory=dict)
    steal: float = 0
    others: float = 0


@contextmanager
def watching(roots: dict[str, int]) -> Iterator[Cost]:
    """Fill in on leaving what these processes, with all their children, have used since.

    Children that this process has waited for (a load generator) count as part of the run.
    """
    cost = Cost()
    before, stat, started = _used(roots), _stat(), time.monotonic()
    yield cost
    seconds = time.monotonic() - started
    after, now = _used(roots), _stat()
    cost.cpu = {name: after[name] - before[name] for name in after}
    cost.steal = (now["steal"] - stat["steal"]) / seconds
    cost.others = max(0, (now["busy"] - stat["busy"] - sum(cost.cpu.values())) / seconds)


def parent(pid: int) -> int:
    """Return the process id of a process' parent."""
    return int(_fields(Path(f"/proc/{pid}/stat"))[1])


def descendants(root: int) -> list[int]:
    """Return the process and all that came of it."""
    children = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        if fields := _fields(folder / "stat"):
            children[int(fields[1])].append(int(folder.name))
    found = [root]
    for pid in found:
        found += children[pid]
    return found


def memory(pid: int) -> dict[str, float]:
    """Return a process' resident and proportional set size, in MiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = {name: int(size) for name, size, *_ in map(str.split, lines[1:])}
    return {kind: sizes[f"{kind.capitalize()}:"] / 1024 for kind in ("RSS", "PSS")}


def _used(roots: dict[str, int]) -> dict[str, float]:
    used = {name: sum(map(_cpu, descendants(root))) for name, root in roots.items()}
    return {**used, "this": _own()}


def _own() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _cpu(pid: int) -> float:
    """Seconds in user and kernel mode, with those of children that have ended."""
    return sum(map(int, _fields(Path(f"/proc/{pid}/stat"))[11:15])) / _TICKS


def _fields(path: Path) -> list[str]:
    """The fields behind the program's name, which may hold spaces; none when it has ended."""
    try:
        return path.read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _stat() -> dict[str, float]:
    line = Path("/proc/stat").read_text().split("\n", 1)[0]
    user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = map(int, line.split()[1:])
    busy = user + nice + system + irq + softirq
    return {"steal": steal / _TICKS, "busy": busy / _TICKS}
