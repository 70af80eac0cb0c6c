import threading
import time

import pytest
from prometheus_client import REGISTRY

from leadgen.capture.nudge import Nudger


def until(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def outcomes(outcome):
    return REGISTRY.get_sample_value("leadgen_nudges_total", {"outcome": outcome}) or 0


class Broker:
    """Counts hints; ``gate`` holds them up as long as it is closed."""

    def __init__(self):
        self.sent = 0
        self.gate = threading.Event()
        self.gate.set()
        self.asked = 0

    def send(self):
        self.asked += 1
        self.gate.wait(10)
        self.sent += 1


@pytest.fixture
def broker():
    broker = Broker()
    yield broker
    broker.gate.set()


def test_a_hint_is_sent(broker):
    Nudger(broker.send, interval=0).nudge()
    until(lambda: broker.sent == 1)


def test_many_nudges_are_coalesced_into_few_messages(broker):
    nudger = Nudger(broker.send, interval=0.2)
    for _ in range(1000):
        nudger.nudge()
    until(lambda: broker.sent >= 1)
    assert broker.sent <= 2


def test_nudge_during_a_send_is_sent_afterwards(broker):
    broker.gate.clear()
    nudger = Nudger(broker.send, interval=0)
    nudger.nudge()
    until(lambda: broker.asked == 1)
    nudger.nudge()
    broker.gate.set()
    until(lambda: broker.sent == 2)


def test_nudge_never_waits_for_the_broker(broker):
    broker.gate.clear()
    nudger = Nudger(broker.send, interval=0)
    started = time.monotonic()
    for _ in range(100):
        nudger.nudge()
    assert time.monotonic() - started < 1


def test_failed_send_is_retried_at_the_next_nudge():
    calls = []

    def send():
        calls.append(1)
        if len(calls) == 1:
            raise OSError("no broker")

    before = outcomes("failed")
    nudger = Nudger(send, interval=0)
    nudger.nudge()
    until(lambda: outcomes("failed") == before + 1)
    nudger.nudge()
    until(lambda: len(calls) == 2)


def test_hanging_thread_is_abandoned_and_replaced_after_a_pause(broker):
    broker.gate.clear()
    before = outcomes("stuck")
    nudger = Nudger(broker.send, interval=0, timeout=0.05)

    def wish_until_asked(times):
        def asked():
            nudger.nudge()
            return broker.asked == times

        until(asked)

    wish_until_asked(2)
    assert outcomes("stuck") == before + 1
    broker.gate.set()
    until(lambda: broker.sent >= 2)
    wish_until_asked(broker.asked + 1)
