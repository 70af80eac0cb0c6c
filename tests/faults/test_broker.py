"""RabbitMQ fails in every way it knows: no visitor notices, and leads are made without it."""

import signal
import time
from functools import partial
from urllib.request import urlopen

import pytest

from leadgen.processes.roles import QUEUES
from tests.faults.load import loading
from tests.faults.system import accounted_for
from tests.flows.waiting import eventually

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow_faults,
    pytest.mark.xdist_group("faults"),
]

# A worker that hears nothing looks by itself after ten seconds; two cores are busy.
UNHEARD, HEARD = 25, 8
NOISE = 50  # milliseconds


@pytest.fixture(scope="module")
def backends(broker, folder):
    (folder / "storage").mkdir()
    return {"BROKER_URL": broker.node.url, "STORAGE_URL": f"file://{folder}/storage"}


@pytest.fixture
def ride_out(system, roles, figures):
    """Load before, during and after a fault of so many seconds; keep what was measured.

    Return for how long, in seconds, a submission waited for intake meanwhile.
    """

    def riding(begin, end, seconds=20.0):
        with loading(roles.url, system.public_id, system.slug) as load:
            before = load.go_on(6)
            begin()
            start = time.monotonic()
            figures["waited away s"] = system.oldest_waiting(seconds)
            figures["p99 before ms"] = load.p99(*before) * 1000
            figures["p99 away ms"] = load.p99(start) * 1000
            end()
            returned = time.monotonic()
            # Until the worker has tried again, up to eight seconds later, it still looks by itself.
            eventually(lambda: system.oldest_waiting(6) < HEARD, seconds=60)
            figures["recovered s"] = time.monotonic() - returned
        figures.update(load.figures())
        figures["settled s"] = accounted_for(system, load)
        assert set(load.statuses) <= {201, 303}
        assert load.failed == 0
        assert figures["p99 away ms"] < 1.5 * figures["p99 before ms"] + NOISE
        return figures["waited away s"]

    return riding


def nudges(roles, outcome):
    with urlopen(f"{roles.url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    name = f'leadgen_nudges_total{{outcome="{outcome}"}}'
    return sum(float(line.split()[1]) for line in lines if line.startswith(name))


def test_killed_and_started_again(broker, ride_out):
    assert ride_out(broker.kill, broker.start) < UNHEARD


def test_frozen_and_thawed(broker, ride_out):
    stop, resume = (partial(broker.signal, number) for number in (signal.SIGSTOP, signal.SIGCONT))
    assert ride_out(stop, resume, 40) < UNHEARD


def test_frozen_then_killed_and_started_again(broker, ride_out):
    def end():
        broker.kill()
        broker.start()

    assert ride_out(lambda: broker.signal(signal.SIGSTOP), end, 30) < UNHEARD


def test_out_of_memory(broker, roles, ride_out, figures):
    control = broker.node.control
    failed = nudges(roles, "failed") + nudges(roles, "stuck")

    def end():
        assert nudges(roles, "failed") + nudges(roles, "stuck") > failed
        control("set_vm_memory_high_watermark", "0.4")

    assert ride_out(lambda: control("set_vm_memory_high_watermark", "0"), end, 30) < UNHEARD


@pytest.mark.parametrize("name", QUEUES)
def test_queue_is_replicated_with_delivery_and_length_limits(broker, roles, name):
    told = broker.node.control("--quiet", "list_queues", "name", "type", "durable", "arguments")
    (queue,) = [line for line in told.splitlines() if line.startswith(f"{name}\t")]
    assert queue.split("\t")[1:3] == ["quorum", "true"]
    assert all(name in queue for name in ("x-delivery-limit", "x-max-length"))
