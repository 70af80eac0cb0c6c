"""Worker and beat end in every way they can, in the middle of batches: no batch is lost."""

import os
import signal

import pytest

from tests.faults.load import loading
from tests.faults.system import accounted_for
from tests.flows.waiting import eventually
from tests.stack import children, running

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
def backlog(system, roles):
    """Much to do, and a worker that has just begun."""
    roles.stop("worker", signal.SIGKILL)
    system.plant(16_000)
    roles.start("worker")


def wait_for_batch(system):
    eventually(lambda: system.server.query(IN_BATCH), seconds=60)


def all_worked(system):
    """Wait for the balance; return whether each submission is on one lead."""
    balance = system.settled(90)
    assert balance.returncode == 0, balance.stdout + balance.stderr
    return system.server.query(ON_ONE_LEAD) == [(0,)]


def test_ten_children_killed_in_the_middle_of_batches(system, roles, backlog):
    for _ in range(10):
        # PostgreSQL may still be at a batch whose child was killed, and the next one to come.
        eventually(lambda: bool(roles.children("worker")), seconds=20)
        wait_for_batch(system)
        roles.kill_child("worker")
    assert system.waiting()
    assert all_worked(system)


def test_children_exit_after_the_worker_is_killed(system, roles, backlog):
    wait_for_batch(system)
    worker = roles.processes.pop("worker")
    left = children(worker.pid)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait(10)
    eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in left), seconds=40)
    roles.start("worker")
    assert all_worked(system)


def test_worker_stopped_within_a_batch_loses_no_row(system, roles, backlog, figures):
    wait_for_batch(system)
    figures["ended s"] = roles.end("worker", 40)
    assert figures["ended s"] < 15
    roles.start("worker")
    assert all_worked(system)


def test_worker_stops_while_the_broker_is_frozen(system, roles, broker, figures):
    broker.signal(signal.SIGSTOP)
    try:
        figures["ended s"] = roles.end("worker", 60)
    finally:
        broker.signal(signal.SIGCONT)
    assert figures["ended s"] < 25
    roles.start("worker")
    assert all_worked(system)


def test_beat_killed(system, roles, figures):
    roles.stop("beat", signal.SIGKILL)
    system.plant(100)
    figures["waited s"] = system.oldest_waiting(25)
    roles.start("beat")
    assert figures["waited s"] < 20
    assert all_worked(system)


def test_two_beat_processes_do_not_duplicate_work(system, roles, tmp_path):
    with running(tmp_path, system.environment, roles=("beat",)):
        with loading(roles.url, system.public_id, system.slug) as load:
            load.go_on(10)
        accounted_for(system, load)
    assert all_worked(system)
