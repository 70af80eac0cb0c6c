import re
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from leadgen.accounts import notifications
from leadgen.accounts.login.mail import on_reset_requested
from leadgen.accounts.models import Notification
from leadgen.events.models import Event
from leadgen.pipeline import HANDLERS
from tests.factories import make_user

pytestmark = pytest.mark.django_db

NEW = {"password1": "another-word-551", "password2": "another-word-551"}


@pytest.fixture(autouse=True)
def _public_url(settings):
    settings.PUBLIC_URL = "https://crm.example.com"


@pytest.fixture
def ada():
    return make_user(email="ada@example.com", name="Ada")


def ask(client, email="ada@example.com", **headers):
    return client.post("/login/reset", {"email": email}, **headers)


def deliver(mailoutbox):
    """Send the mail of the newest request and return the path of the link in it."""
    on_reset_requested(Event.objects.filter(kind="user.password_reset_requested").latest("id"))
    notifications.deliver()
    (link,) = re.findall(r"https://\S+", mailoutbox[-1].body)
    assert link.startswith("https://crm.example.com/login/reset/")
    return link.removeprefix("https://crm.example.com")


def open_form(client, path):
    answer = client.get(path)
    assert answer.status_code == 302, answer.text
    return answer["Location"]


def test_link_sets_a_new_password_and_ends_other_sessions(ada, client, mailoutbox):
    elsewhere = Client()
    elsewhere.force_login(ada)
    ask(client, headers={"host": "localhost"})
    form = open_form(client, deliver(mailoutbox))
    assert 'autocomplete="new-password"' in client.get(form).text
    assert client.post(form, NEW)["Location"] == "/login/reset/done"
    ada.refresh_from_db()
    assert ada.check_password(NEW["password1"])
    assert elsewhere.get("/admin/").status_code == 302
    assert Event.objects.filter(kind="user.password_reset", subject_id=str(ada.pk)).exists()
    assert mailoutbox[0].to == ["ada@example.com"]


def test_reset_clears_the_failures_of_the_account(ada, client, mailoutbox, visitor):
    visitor().fail("ada@example.com", 5)
    ask(client)
    client.post(open_form(client, deliver(mailoutbox)), NEW)
    assert visitor("198.51.100.1").log_in("ada@example.com", NEW["password1"]).status_code == 302


def test_link_works_once(ada, client, mailoutbox):
    ask(client)
    path = deliver(mailoutbox)
    client.post(open_form(client, path), NEW)
    answer = Client().get(path)
    assert answer.status_code == 200
    assert "no longer works" in answer.text


def test_link_expires_after_an_hour(ada, client, mailoutbox):
    ask(client)
    path = deliver(mailoutbox)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert "no longer works" in Client().get(path).text


def test_late_request_is_not_mailed(ada, client, mailoutbox):
    ask(client)
    event = Event.objects.get(kind="user.password_reset_requested")
    event.at -= timedelta(minutes=61)
    on_reset_requested(event)
    notifications.deliver()
    assert mailoutbox == []
    assert Notification.objects.get().state == "dropped"


def test_expired_reset_request_is_not_mailed(ada, client, mailoutbox):
    ask(client)
    on_reset_requested(Event.objects.get(kind="user.password_reset_requested"))
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        notifications.deliver()
    assert mailoutbox == []
    assert Notification.objects.get().state == "dropped"


def test_unknown_and_inactive_accounts_get_the_same_answer(ada, client, mailoutbox):
    make_user(email="off@example.com", is_active=False)
    answers = [
        ask(client, email) for email in ("ada@example.com", "no@example.com", "off@example.com")
    ]
    assert [(a.status_code, a["Location"]) for a in answers] == [(302, "/login/reset/sent")] * 3
    assert mailoutbox == []
    assert Event.objects.filter(kind="user.password_reset_requested").count() == 1


def test_requests_for_one_address_are_limited(client):
    cache.clear()
    codes = [ask(client, "no@example.com").status_code for _ in range(6)]
    assert codes == [302] * 5 + [429]
    answer = ask(client, "NO@example.com")
    assert (answer.status_code, answer["Retry-After"]) == (429, "900")


def test_limit_on_one_address_lasts_for_15_minutes(client):
    cache.clear()
    with time_machine.travel("2026-11-28 12:00", tick=False) as clock:
        codes = [ask(client, "no@example.com").status_code for _ in range(5)]
        clock.shift(890)
        codes.append(ask(client, "no@example.com").status_code)
        clock.shift(20)
        codes.append(ask(client, "no@example.com").status_code)
    assert codes == [302] * 5 + [429, 302]


def test_requests_of_one_network_are_limited(client):
    cache.clear()
    codes = [
        ask(client, f"no{n}@example.com", REMOTE_ADDR=f"192.0.2.{n}").status_code
        for n in range(1, 22)
    ]
    assert codes == [302] * 20 + [429]


def test_request_writes_no_row_of_addresses(ada, client, mailoutbox):
    ask(client)
    client.post(open_form(client, deliver(mailoutbox)), NEW)
    assert not EmailAddress.objects.exists()


def test_link_is_in_no_table(ada, client):
    ask(client)
    assert Event.objects.get(kind="user.password_reset_requested").data == {}


def test_worker_listens_for_requests():
    listed = {kind for kinds in HANDLERS.values() for kind in kinds}
    assert "user.password_reset_requested" in listed


@pytest.mark.parametrize(
    "password", ["leadgen-demo", "Leadgen-Demo1!", "leadgen2026!!", "LEADGEN-PASSWORD"]
)
def test_product_words_are_no_password(ada, client, mailoutbox, password):
    ask(client)
    form = open_form(client, deliver(mailoutbox))
    answer = client.post(form, {"password1": password, "password2": password})
    assert answer.status_code == 200
    assert "names no product" in answer.text
    ada.refresh_from_db()
    assert not ada.check_password(password)


def test_outage_of_the_cache_is_answered_and_counted(client, monkeypatch, counted, caplog):
    class ConnectionError(Exception):
        __module__ = "redis.exceptions"

    def away(*_, **__):
        raise ConnectionError

    monkeypatch.setattr(cache, "add", away)
    answer = ask(client)
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert counted("unavailable") == 1
    assert "Traceback" not in caplog.text


def test_programming_error_is_not_reported_as_outage(client, monkeypatch):
    def broken(*_, **__):
        raise KeyError("a mistake")

    monkeypatch.setattr(cache, "add", broken)
    with pytest.raises(KeyError):
        ask(client)
