"""Web starts while PostgreSQL is unavailable and serves, without a restart, once it is back."""

import os
import threading
import time
import urllib.error
import urllib.request

import pytest

from dev.ports import any_free
from leadgen.lib.postgresql.connections import connection_parameters
from tests import stack
from tests.capture.ledger.faulty_proxy import between
from tests.factories import make_form

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def answer(url, data=None):
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def wait_for(url, status):
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            if answer(url)[0] == status:
                return True
        except OSError:
            pass
        time.sleep(0.2)
    return False


@pytest.fixture
def database():
    """The parameters of the database behind a proxy, and the event that makes it available."""
    is_back = threading.Event()
    parameters = connection_parameters()
    upstream = parameters["host"], parameters["port"]
    with between(parameters, upstream, lambda *_: is_back.is_set()) as proxied:
        yield proxied, is_back


@pytest.fixture
def web(database, tmp_path):
    proxied, _ = database
    user = f"{proxied['user']}:{proxied['password']}"
    port = any_free()
    environment = {
        **os.environ,
        "DEBUG": "true",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "WEB_CONCURRENCY": "1",
        "DATABASE_URL": f"postgresql://{user}@127.0.0.1:{proxied['port']}/{proxied['dbname']}",
        "STORAGE_URL": f"file://{tmp_path}/storage",
        "BROKER_URL": f"filesystem://{tmp_path}/broker",
    }
    (tmp_path / "broker").mkdir()
    found = stack.Stack(f"http://127.0.0.1:{port}", tmp_path, environment)
    found.start("web")
    yield found
    found.stop("web")


def test_web_starts_without_the_database_and_serves_later(web, database):
    _, is_back = database
    form = make_form(slug="contact")
    assert wait_for(f"{web.url}/health/live", 200), web.log("web")
    assert answer(f"{web.url}/health/ready")[0] == 503
    for url, body in (
        (f"{web.url}/f/contact", None),
        (f"{web.url}/api/v1/public/forms/{form.public_id}/submissions", b'{"fields": {}}'),
    ):
        status, headers = answer(url, body)
        assert (status, headers["Retry-After"]) == (503, "2")
    process = web.processes["web"].pid
    is_back.set()
    assert wait_for(f"{web.url}/health/ready", 200), web.log("web")
    assert answer(f"{web.url}/f/contact")[0] == 200
    assert web.processes["web"].pid == process
