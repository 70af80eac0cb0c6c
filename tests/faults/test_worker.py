"""Worker and beat end in every way they can, in the middle of batches: no batch is lost."""

import os
import signal

import pytest

from tests.faults.load import loading
from tests.faults.processes import children, end, kill_child
from tests.faults.system import accounted_for
from tests.flows.waiting import eventually
from tests.stack import running

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow_faults,
    pytest.mark.xdist_group("faults"),
]

# Only intake takes this lock, from the first row of a batch to its commit.
IN_BATCH = (
    "SELECT 1 FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
    " WHERE relname = 'capture_submission' AND mode = 'RowShareLock'"
)
ON_ONE_LEAD = (
    "SELECT count(*) FROM capture_submission s WHERE attempts > 0 OR"
    " (SELECT count(*) FROM leads_leadsubmission l WHERE l.submission_id = s.id)"
    " <> (s.state = 'processed')::int"
)


@pytest.fixture(scope="module")
def backends(broker, folder):
    (folder / "storage").mkdir()
    return {
        "BROKER_URL": broker.node.url,
        "STORAGE_URL": f"file://{folder}/storage",
        "INTAKE_BATCH_ROWS": "250",
    }


@pytest.fixture
def backlog(system, stack):
    """Much to do, and a worker that has just begun."""
    stack.stop("worker", signal.SIGKILL)
    system.plant(16_000)
    stack.start("worker")


def wait_for_batch(system):
    eventually(lambda: system.server.query(IN_BATCH), seconds=60)


def all_worked(system):
    balance = system.settled(90)
    assert balance.returncode == 0, balance.stdout + balance.stderr
    assert system.server.query(ON_ONE_LEAD) == [(0,)]


def test_ten_children_killed_in_the_middle_of_batches(system, stack, backlog):
    for _ in range(10):
        # PostgreSQL may still be at a batch whose child was killed, and the next one to come.
        eventually(lambda: bool(children(stack.processes["worker"].pid)), seconds=20)
        wait_for_batch(system)
        kill_child(stack, "worker")
    assert system.waiting()
    all_worked(system)


def test_the_parent_killed_leaves_nobody_behind(system, stack, backlog):
    wait_for_batch(system)
    worker = stack.processes.pop("worker")
    left = children(worker.pid)
    worker.kill()
    worker.wait(10)
    eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in left), seconds=40)
    stack.start("worker")
    all_worked(system)


def test_told_to_end_in_the_middle_of_a_batch(system, stack, backlog, figures):
    wait_for_batch(system)
    figures["ended s"] = end(stack, "worker", 40)
    assert figures["ended s"] < 15
    stack.start("worker")
    all_worked(system)


def test_told_to_end_while_the_broker_is_frozen(system, stack, broker, figures):
    broker.signal(signal.SIGSTOP)
    try:
        figures["ended s"] = end(stack, "worker", 60)
    finally:
        broker.signal(signal.SIGCONT)
    assert figures["ended s"] < 25
    stack.start("worker")
    all_worked(system)


def test_beat_killed(system, stack, figures):
    stack.stop("beat", signal.SIGKILL)
    system.plant(100)
    figures["waited s"] = system.oldest_waiting(25)
    stack.start("beat")
    assert figures["waited s"] < 20
    all_worked(system)


def test_two_beats_at_once_are_one_beat(system, stack, tmp_path):
    with running(tmp_path, system.environment, roles=("beat",)):
        with loading(stack.url, system.public_id, system.slug) as load:
            load.go_on(10)
        accounted_for(system, load)
    all_worked(system)
