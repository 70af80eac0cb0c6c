import subprocess
import sys

import pytest
from django.contrib.sessions.backends import db
from django.urls import reverse

from leadgen.accounts import sessions
from leadgen.accounts.metrics import REFUSALS
from leadgen.accounts.roles import Role
from leadgen.events.models import Event
from tests.factories import make_user

pytestmark = pytest.mark.django_db

HOUR = 3600
HOME = "/admin/"


@pytest.fixture
def clock(monkeypatch):
    """The seconds that the session store reads; a test adds to them."""

    class Clock:
        seconds = 1_800_000_000.0

        def time(self):
            return self.seconds

    clock = Clock()
    monkeypatch.setattr(sessions, "time", clock)
    return clock


@pytest.fixture
def member(client, clock):
    client.force_login(make_user(Role.ADMIN))
    assert client.get(HOME).status_code == 200
    return client


def test_session_unused_for_the_idle_limit_is_over(member, clock):
    clock.seconds += 12 * HOUR + 1
    answer = member.get(HOME)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")
    assert member.get(HOME).status_code == 302


def test_session_in_use_outlives_the_idle_limit(member, clock):
    for _ in range(5):
        clock.seconds += 11 * HOUR
        assert member.get(HOME).status_code == 200


def test_session_ends_14_days_after_its_first_use(member, clock):
    for _ in range(30):
        clock.seconds += 11 * HOUR
        assert member.get(HOME).status_code == 200
    clock.seconds += 7 * HOUR
    assert member.get(HOME).status_code == 302


def test_use_is_written_once_in_five_minutes(member, clock, django_assert_num_queries):
    clock.seconds += 60
    used = member.session["_session_used"]
    member.get(HOME)
    assert member.session["_session_used"] == used
    clock.seconds += 300
    member.get(HOME)
    assert member.session["_session_used"] == used + 360


def test_session_of_an_older_release_remains_valid(client, clock):
    client.force_login(make_user(Role.ADMIN))
    session = db.SessionStore(client.session.session_key)
    for key in ("_session_started", "_session_used"):
        del session[key]
    session.save()
    assert client.get(HOME).status_code == 200


@pytest.mark.parametrize(("scheme", "prefix"), [("https", "__Host-"), ("http", "")])
def test_cookies_are_bound_to_the_host_under_https(scheme, prefix, monkeypatch):
    monkeypatch.setenv("PUBLIC_URL", f"{scheme}://leads.example.com")
    code = "from leadgen import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == [f"{prefix}sessionid", f"{prefix}csrftoken"]


def test_refused_page_writes_one_event_with_user_and_address(client):
    viewer = make_user(Role.VIEWER)
    client.force_login(viewer)
    counted = REFUSALS.labels("role")._value.get()
    address = reverse("admin:accounts_user_add")
    for _ in range(3):
        assert client.get(address).status_code == 403
    event = Event.objects.get(kind="access.refused")
    assert (event.actor, event.subject_id) == (viewer, str(viewer.pk))
    assert event.data == {"network": "127.0.0.0/24", "path": address}
    assert REFUSALS.labels("role")._value.get() == counted + 3


def test_refused_address_with_a_nul_is_stored_quoted(client):
    client.force_login(make_user(Role.VIEWER))
    assert client.get("/admin/events/event/%00/change/").status_code == 403
    assert "%00" in Event.objects.get(kind="access.refused").data["path"]


def test_post_without_a_token_is_counted(client):
    client.handler.enforce_csrf_checks = True
    counted = REFUSALS.labels("csrf")._value.get()
    assert client.post("/login", {"login": "a", "password": "b"}).status_code == 403
    assert REFUSALS.labels("csrf")._value.get() == counted + 1
