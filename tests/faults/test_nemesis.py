"""A minute of load in which every part is killed and started again in turn."""

import signal
import time

import pytest

from tests.faults.load import loading
from tests.faults.system import accounted_for
from tests.stack import wait_until_ready

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow_faults,
    pytest.mark.xdist_group("faults"),
]

VISITORS = 16


@pytest.fixture(scope="module")
def backends(broker, storage):
    return {
        **storage.node.environment,
        "BROKER_URL": broker.node.url,
        "STORAGE_URL": storage.node.environment["TEST_S3_URL"],
    }


def most(system, roles):
    """How many posts a second these visitors get through without a pause."""
    with loading(roles.url, system.public_id, system.slug, visitors=VISITORS, rate=1e6) as load:
        load.go_on(2)
        start, stop = load.go_on(5)
    return sum(start < answer.at < stop for answer in load.answers) / (stop - start)


def part_lost(part, seconds):
    part.kill()
    time.sleep(seconds)
    part.start()


def role_lost(roles, role, seconds):
    roles.stop(role, signal.SIGKILL)
    time.sleep(seconds)
    roles.start(role)


def web_process_lost(roles):
    roles.kill_child("web")
    wait_until_ready(roles)


def test_outage_of_each_part_in_turn_loses_nothing(system, roles, server, broker, storage, figures):
    figures["most posts/s"] = best = most(system, roles)
    figures["of which 70 %"] = rate = 0.7 * best
    losses = {
        "PostgreSQL": lambda: part_lost(server, 3),
        "RabbitMQ": lambda: part_lost(broker, 2),
        "worker": lambda: role_lost(roles, "worker", 2),
        "SeaweedFS": lambda: part_lost(storage, 1),
        "beat": lambda: role_lost(roles, "beat", 2),
        "web process": lambda: web_process_lost(roles),
    }
    started = time.monotonic()
    with loading(roles.url, system.public_id, system.slug, visitors=VISITORS, rate=rate) as load:
        for name, lose in losses.items():
            load.go_on(2)
            start = time.monotonic()
            lose()
            load.go_on(1)
            figures[f"gap s, {name}"] = load.gap(start)
        load.go_on(max(3, started + 60 - time.monotonic()))
    figures["load s"] = time.monotonic() - started
    figures["posts/s"] = len(load.answers) / figures["load s"]
    figures.update(load.figures(), resent=load.resent)
    assert set(load.statuses) <= {200, 201, 202, 303}
    # What the killed web process held at that moment; nobody was thanked for it.
    assert load.failed <= VISITORS
    figures["settled s"] = accounted_for(system, load, 120)
