import re
import signal
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from dev.ports import any_free
from tests.factories import make_form, make_submission
from tests.flows.waiting import eventually
from tests.stack import embedded, running

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def surroundings(tmp_path):
    own = {"METRICS_PORT": str(any_free()), "TMPDIR": str(tmp_path)}
    return embedded(tmp_path) | own


@pytest.fixture
def start(surroundings, tmp_path):
    """Runs one role until the test ends."""
    return lambda role, **more: running(tmp_path, surroundings | more, roles=(role,))


def read(port, path="/metrics", token=""):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urlopen(Request(f"http://127.0.0.1:{port}{path}", headers=headers), timeout=5) as answer:
        return answer.read().decode()


def read_series(port, series):
    """The value of a series; 0 while it is not there, -1 while nobody answers."""
    try:
        found = re.search(rf"^{re.escape(series)} (\S+)$", read(port), re.M)
    except URLError:
        return -1
    return float(found[1]) if found else 0


def status(port, path="/metrics", token=""):
    try:
        read(port, path, token)
    except HTTPError as error:
        return error.code
    return 200


def sweep(stack):
    # Beat asks for work every few seconds; the port is the worker's.
    stack.environment["METRICS_PORT"] = "0"
    stack.start("beat")


def test_worker_metrics_include_exited_children(start, surroundings, tmp_path):
    form, port = make_form(), surroundings["METRICS_PORT"]
    worked = 'leadgen_intake_rows_total{outcome="processed"}'
    make_submission(form)
    with start("worker") as stack:
        sweep(stack)
        eventually(lambda: read_series(port, worked) == 1, seconds=40)
        stack.kill_child("worker")
        make_submission(form)
        eventually(lambda: read_series(port, worked) == 2, seconds=40)
        (folder,) = tmp_path.glob("leadgen-metrics-*")
        places = {file.stem.split("_")[1] for file in folder.iterdir()}
        assert places == {"parent", "child0"}
        # Its pool lost a child in the middle of waiting: it would take all of its grace.
        stack.stop("worker", signal.SIGKILL)


def test_beat_metrics_count_tasks_and_leave_no_files(start, surroundings, tmp_path):
    sent = 'leadgen_beat_sent_total{task="leadgen.leads.tasks.intake"}'
    with start("beat"):
        eventually(lambda: read_series(surroundings["METRICS_PORT"], sent) >= 1, seconds=40)
    assert list(tmp_path.glob("leadgen-metrics-*")) == []


def test_metrics_require_the_token_and_nothing_else_is_served(start, surroundings):
    port = surroundings["METRICS_PORT"]
    with start("beat", METRICS_TOKEN="a-long-token"):
        eventually(lambda: is_serving(port), seconds=40)
        assert status(port, token="a-long-token") == 200
        assert status(port, token="another") == 401
        assert status(port, "/other", token="a-long-token") == 404


def is_serving(port):
    try:
        return status(port) in (200, 401)
    except URLError:
        return False
