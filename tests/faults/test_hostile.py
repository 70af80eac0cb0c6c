"""Clients that mean no good: slow on purpose, too many, or the same again and again."""

import json
import threading
import urllib.error
import urllib.request
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from uuid import uuid4

import pytest

from tests.faults.load import loading
from tests.faults.slow import OPENINGS, attack, never_reading
from tests.flows.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("faults")]

# What a busy machine may add to a p99, in seconds.
NOISE = 0.05
STYLES = "/static/unfold/css/styles.css"


def post(roles, system, key, email="ada@example.com"):
    """Send one enquiry as a program does; return status and receipt."""
    url = f"{roles.url}/api/v1/public/forms/{system.public_id}/submissions"
    body = json.dumps({"fields": {"name": "Ada", "email": email}}).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            return answer.status, json.load(answer)["receipt"]
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, ""


def count_submissions(system, receipts):
    """How many submissions stand behind these receipts; each receipt is known."""
    assert set(receipts) <= set(system.ledger())
    rows = system.server.query(
        "SELECT s.id::text, r.receipt::text FROM capture_submission s"
        " LEFT JOIN capture_repeat r ON r.submission_id = s.id"
    )
    return len({first for first, second in rows if {first, second} & set(receipts)})


def is_back(roles, system):
    """Whether every web process writes to the ledger again."""
    return all(post(roles, system, str(uuid4()))[0] == 201 for _ in range(20))


def test_fifty_at_once_with_one_key_are_one_submission(system, roles):
    key, ready = str(uuid4()), threading.Barrier(50)

    def send(_):
        ready.wait(20)
        return post(roles, system, key)

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(send, range(50)))
    assert {status for status, _ in answers} == {200, 201}
    assert [status for status, _ in answers].count(201) == 1
    assert len({receipt for _, receipt in answers}) == 1


@pytest.mark.slow_faults
def test_a_repeat_on_the_other_way_is_the_same_submission(system, roles, server):
    early, late = str(uuid4()), str(uuid4())
    for _ in range(30):  # every web process has seen the form then
        post(roles, system, str(uuid4()))
    before = post(roles, system, early)
    roles.stop("worker")
    server.kill()
    spooled = [post(roles, system, early), post(roles, system, late), post(roles, system, late)]
    server.start()
    eventually(lambda: is_back(roles, system), seconds=20)
    after = post(roles, system, late)
    roles.start("worker")
    assert [before[0], *(status for status, _ in spooled), after[0]] == [201, 202, 202, 202, 201]
    assert system.settled().returncode == 0
    assert count_submissions(system, [before[1], spooled[0][1]]) == 1
    assert count_submissions(system, [spooled[1][1], spooled[2][1], after[1]]) == 1


@pytest.mark.slow_faults
def test_slow_clients_do_not_slow_other_visitors(system, roles, figures):
    paths = (f"/api/v1/public/forms/{system.public_id}/submissions", "/login")
    openings = [opening(path) for path in paths for opening in OPENINGS.values()]
    with loading(roles.url, system.public_id, system.slug) as load:
        load.until(receipts=300)
        before = load.go_on(8)
        at_rest = roles.memory("web")
        # Processes of their own: they must not slow down those who measure.
        with ProcessPoolExecutor(2, get_context("spawn")) as others:
            senders = others.submit(attack, roles.url, openings * 40, 25, 5.0)
            takers = others.submit(never_reading, roles.url, STYLES, 100, 32)
            load.go_on(4)  # until all are connected
            under_fire = load.go_on(6)
            grown = roles.memory("web") - at_rest
            ends = sorted(senders.result().ended)
            taken = takers.result()
        after = load.go_on(8)
    quiet = max(load.p99(*before), load.p99(*after))  # the machine has other work too
    figures |= {
        "quiet p99 ms": quiet * 1000,
        "under fire p99 ms": load.p99(*under_fire) * 1000,
        "grown MB": grown,
        "last sender ended s": ends[-1],
        "last taker ended s": max(taken.ended),
    }
    assert len(ends) == 400
    assert ends[-1] < 20  # 10 where nobody else works the machine
    assert len(taken.ended) == 100
    assert load.p99(*under_fire) < 2 * quiet + NOISE
    assert grown < 200
    assert load.failed == 0
