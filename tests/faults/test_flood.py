"""Bots flood a form: visitors do not notice, a refusal is cheap, and what was taken is kept."""

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median

import pytest

from dev.ports import any_free
from tests.benchmarks.machine import watching
from tests.faults.bots import NAME, flood, refuse_all
from tests.faults.load import loading
from tests.faults.system import accounted_for
from tests.stack import running

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow_faults,
    pytest.mark.xdist_group("faults"),
]

# Thirty times what is taken, and not so much that the bots' own work fills the machine.
RATE = 600
# What a busy machine may add to a p99, in seconds.
NOISE = 0.05
# The limits as they are when nobody sets them.
LIMITS = {"CAPTURE_FLOOD_PER_MINUTE": "20", "CAPTURE_LIMIT_PER_MINUTE": "600"}
SPAM = f"SELECT state, reasons FROM capture_submission WHERE raw->'name'->>0 = '{NAME}'"


@pytest.fixture(scope="module")
def roles(system, folder):
    with running(folder, system.environment | LIMITS) as started:
        yield started


@pytest.fixture(scope="module")
def elsewhere():
    """Processes of their own for the bots: they must not slow down those who measure."""
    with ProcessPoolExecutor(2, get_context("spawn")) as process:
        yield process


def p99_under_fire(load, bots, url, slug):
    """What visitors wait while bots flood this server, and what those were told."""
    told = bots.submit(flood, url, slug, 7, RATE)
    load.go_on(1)
    stretch = load.go_on(5)
    return load.p99(*stretch), told.result()


def test_flood_does_not_slow_other_visitors(system, roles, elsewhere, figures):
    quiet, under_fire, port = [], [], any_free()
    told: Counter[int] = Counter()
    # The bots work on this machine too, so what they take from it is a part of both sides.
    elsewhere.submit(refuse_all, port, 50)
    with loading(roles.url, system.public_id, system.slug, rate=150, spread=True) as load:
        load.go_on(3)
        for _ in range(3):
            p99, _told = p99_under_fire(load, elsewhere, f"http://127.0.0.1:{port}", system.slug)
            quiet.append(p99)
            p99, seen = p99_under_fire(load, elsewhere, roles.url, system.slug)
            under_fire.append(p99)
            told += seen
    figures |= {
        "bots elsewhere p99 ms": median(quiet) * 1000,
        "bots here p99 ms": median(under_fire) * 1000,
        "bots' posts a second": told.total() / 21,
        "taken": told[303],
    }
    assert set(load.statuses) == {201, 303}
    assert load.failed == 0
    assert set(told) == {303, 429}
    assert told[303] <= 3 * 2 * 600  # each web process counts for itself, minute by minute
    assert median(under_fire) < 2 * median(quiet) + NOISE
    accounted_for(system, load)
    spam = system.server.query(SPAM)
    assert len(spam) >= told[303]
    assert {state for state, _ in spam} == {"quarantined"}
    assert sum("flood" in reasons for _, reasons in spam) > len(spam) / 2


def test_refusal_uses_less_than_half_of_the_cpu(system, roles, elsewhere, figures):
    web = {"web": roles.processes["web"].pid}
    with loading(roles.url, system.public_id, system.slug, rate=150, spread=True) as load:
        load.go_on(2)
        given = len(load.answers)
        with watching(web) as accepting:
            load.go_on(6)
        given = len(load.answers) - given
    elsewhere.submit(flood, roles.url, system.slug, 2).result()
    with watching(web) as refusing:
        told = elsewhere.submit(flood, roles.url, system.slug, 6).result()
    figures["accepted ms"] = accepting.cpu["web"] * 1000 / given
    figures["refused ms"] = refusing.cpu["web"] * 1000 / told.total()
    assert figures["refused ms"] < figures["accepted ms"] / 2
