"""Strangers before log-in take neither memory nor answers from visitors.

Web runs in a memory cgroup of the size that Compose and Kubernetes give it. Without the right to
make a cgroup the drill measures the resident memory alone.
"""

import os
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.faults.load import loading
from tests.faults.strangers import attack
from tests.flows.waiting import eventually
from tests.stack import running, wait_until_ready

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow_faults,
    pytest.mark.xdist_group("faults"),
]

LIMIT = 768 * 1024 * 1024
CONNECTIONS, LOGINS, UPLOADS = 2000, 32, 12
VISITS_A_SECOND = 20
WARM_UP, SECONDS = 4, 25
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leadgen web'"


class Cgroup:
    """A memory cgroup, version 1 or 2; every process of a tree can be moved into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.is_old = (folder / "memory.limit_in_bytes").exists()

    def take(self, pid: int) -> None:
        (self.folder / "cgroup.procs").write_text(str(pid))

    @property
    def peak(self) -> float:
        """The most memory so far in MB; -1 where the kernel does not tell."""
        name = "memory.max_usage_in_bytes" if self.is_old else "memory.peak"
        path = self.folder / name
        return int(path.read_text()) / 1024**2 if path.exists() else -1

    @property
    def kills(self) -> int:
        name = "memory.oom_control" if self.is_old else "memory.events"
        lines = dict(line.split() for line in (self.folder / name).read_text().splitlines())
        return int(lines.get("oom_kill", 0))


@contextmanager
def cgroup(limit):
    """Yield a memory cgroup with this limit, or None where none can be made."""
    old = Path("/sys/fs/cgroup/memory")
    folder = (old if old.is_dir() else Path("/sys/fs/cgroup")) / f"leadgen-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError:
        yield None
        return
    try:
        name = "memory.limit_in_bytes" if old.is_dir() else "memory.max"
        (folder / name).write_text(str(limit))
        yield Cgroup(folder)
    finally:
        eventually(lambda: _is_removed(folder), seconds=20)


def _is_removed(folder):
    """Remove a cgroup, which is busy until its last process has ended."""
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def group():
    with cgroup(LIMIT) as made:
        yield made


@pytest.fixture(scope="module")
def roles(system, folder, group):
    with running(folder, system.environment, roles=()) as started:
        start_within(started, group)
        started.start("worker")
        yield started


def start_within(roles, group):
    """Start web in the cgroup: a child is in the cgroup of its parent."""
    own = Path("/proc/self/cgroup").read_text()
    if group:
        group.take(os.getpid())
    try:
        roles.start("web")
    finally:
        if group:
            leave(own)
    wait_until_ready(roles)


def leave(own):
    """Return to the cgroup that this process had."""
    for line in own.splitlines():
        number, controllers, path = line.split(":", 2)
        if controllers == "memory":
            Path(f"/sys/fs/cgroup/memory{path}/cgroup.procs").write_text(str(os.getpid()))
        elif number == "0" and not controllers and not Path("/sys/fs/cgroup/memory").is_dir():
            Path(f"/sys/fs/cgroup{path}/cgroup.procs").write_text(str(os.getpid()))


@contextmanager
def watching(roles, server):
    """Collect the most resident memory of web and its most connections to the database."""
    most, is_done = {"rss": 0.0, "connections": 0}, threading.Event()

    def watch():
        while not is_done.wait(0.5):
            most["rss"] = max(most["rss"], roles.memory("web"))
            most["connections"] = max(most["connections"], server.query(COUNT)[0][0])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield most
    finally:
        is_done.set()
        watcher.join()


def in_time(load, start, end, limit=1.0):
    """The share of posts in a stretch that were thanked within the limit; broken ones count."""
    sent = [answer for answer in load.answers if start < answer.at < end]
    good = sum(bool(answer.receipt) and answer.seconds < limit for answer in sent)
    return good / max(1, len(sent) + load.broken)


@pytest.mark.parametrize(
    ("connections", "logins", "uploads"),
    [(CONNECTIONS, 0, 0), (0, 0, UPLOADS), (0, LOGINS, 0), (CONNECTIONS, LOGINS, UPLOADS)],
    ids=["connections", "uploads", "logins", "all"],
)
def test_attack_before_log_in_does_not_slow_visitors(
    system, roles, server, group, figures, connections, logins, uploads
):
    kills = group.kills if group else 0
    at_rest = roles.memory("web")
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as others,
        watching(roles, server) as most,
        loading(
            roles.url, system.public_id, system.slug, rate=VISITS_A_SECOND, spread=True
        ) as load,
    ):
        told = others.submit(attack, roles.url, SECONDS, connections, logins, uploads)
        load.go_on(WARM_UP)
        start, end = load.go_on(SECONDS - WARM_UP - 2)
        answered = told.result()
    share = in_time(load, start, end)
    figures |= {
        "visitors' posts": len(load.answers),
        "within 1 s %": share * 100,
        "p99 ms": load.p99(start, end) * 1000,
        "broken": load.broken,
        "RSS at rest MB": at_rest,
        "RSS peak MB": most["rss"],
        "cgroup peak MB": group.peak if group else -1,
        "OOM kills": (group.kills if group else 0) - kills,
        "web connections": most["connections"],
        "strangers": answered,
    }
    # Without these the attack itself has missed its aim.
    assert not logins or answered.get("log_in 200")
    assert not uploads or answered.get("upload 413")
    if group:
        assert group.kills == kills
    assert most["rss"] < LIMIT / 1024**2
    assert most["connections"] <= 2 * 8
    assert share >= 0.99
