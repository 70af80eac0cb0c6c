"""The limits against real gunicorn processes."""

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest

from tests.factories import make_user
from tests.stack import Stack, database_url, running, wait_until_ready

pytestmark = [
    pytest.mark.processes,
    pytest.mark.xdist_group("stack"),
    pytest.mark.django_db(transaction=True),
]

CLIENTS = 32


@dataclass(frozen=True)
class Browser:
    """The token and cookie of one visit, good for any number of log-ins."""

    place: str
    token: str
    cookie: str

    def log_in(self, email: str, address: str) -> int:
        data = {"csrfmiddlewaretoken": self.token, "login": email, "password": "wrong"}
        headers = {
            "Cookie": self.cookie,
            "X-Forwarded-For": f"198.51.100.1, {address}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        with closing(HTTPConnection(self.place, timeout=60)) as link:
            link.request("POST", "/login", urlencode(data), headers)
            return link.getresponse().status


def visit(stack: Stack) -> Browser:
    place = urlsplit(stack.url).netloc
    with closing(HTTPConnection(place, timeout=60)) as link:
        link.request("GET", "/login")
        answer = link.getresponse()
        (token,) = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', answer.read().decode())
        return Browser(place, token, str(answer.headers["Set-Cookie"]).split(";")[0])


def checked(attempt: Callable[[int], int]) -> int:
    """Log in from many clients at once and go on until a limit answers; count the checks.

    On a busy machine some are answered 503: their passwords were not looked at.
    """
    with ThreadPoolExecutor(CLIENTS) as threads:
        statuses = Counter(threads.map(attempt, range(CLIENTS)))
    for number in range(CLIENTS, 4 * CLIENTS):
        status = attempt(number)
        statuses[status] += 1
        if status == 429:
            break
    assert set(statuses) <= {200, 429, 503}
    assert statuses[429] > 0
    return statuses[200]


@pytest.fixture
def web(tmp_path, transactional_db):
    backends = {
        "DATABASE_URL": database_url(),
        "BROKER_URL": f"filesystem://{tmp_path}",
        "STORAGE_URL": f"file://{tmp_path}/storage",
        "TRUSTED_PROXIES": "1",
        "WEB_CONCURRENCY": "3",
    }
    with running(tmp_path, backends, ("web",)) as stack:
        yield stack


@pytest.fixture(autouse=True)
def _cheap_passwords():
    """Not here: the web processes have to know the hasher."""


def test_limits_hold_exactly_across_processes_and_a_restart(web):
    make_user(email="ada@example.com")
    browser = visit(web)

    of_account = checked(lambda n: browser.log_in("ada@example.com", f"10.0.{n}.7:{4000 + n}"))
    of_network = checked(lambda n: browser.log_in(f"p{n}@example.com", f"192.0.2.{n}:{4000 + n}"))
    assert (of_account, of_network) == (5, 20), web.log("web")

    web.stop("web")
    web.start("web")
    wait_until_ready(web)
    assert visit(web).log_in("ADA@example.com", "10.1.1.1") == 429
    assert visit(web).log_in("somebody@example.com", "192.0.2.200") == 429
    assert "Traceback" not in web.log("web")
