"""gunicorn with two processes: shared metrics, log lines and temporary files."""

import json
import re
from urllib.request import urlopen

import pytest

from tests.stack import embedded, running

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def temporary(tmp_path):
    """The folder of temporary files of the role web."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def web(tmp_path, temporary):
    own = {"LOG_FORMAT": "json", "PROMETHEUS_MULTIPROC_DIR": "", "TMPDIR": str(temporary)}
    with running(tmp_path, embedded(tmp_path) | own, roles=("web",)) as stack:
        yield stack


def read(stack, path):
    with urlopen(stack.url + path, timeout=10) as answer:
        return answer.read().decode()


def requests_counted(stack):
    count = re.search(r'route="health-live",status="200"} (\d+)', read(stack, "/metrics"))
    return int(count[1]) if count else 0


def test_two_processes_count_together_and_remove_their_files(web, temporary):
    for _ in range(12):
        assert json.loads(read(web, "/health/live"))["ok"] is True
    assert requests_counted(web) == 12
    web.end("web", 30)
    assert list(temporary.iterdir()) == []


def test_every_log_line_of_web_is_json(web):
    read(web, "/login")
    web.end("web", 30)
    lines = web.log("web").splitlines()
    assert lines
    assert all("ts" in json.loads(line) for line in lines)
