import re

import pytest

from leadgen.accounts.login import limits
from leadgen.accounts.models import LoginCounter
from leadgen.events.models import Event
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_sixth_failure_of_an_account_is_refused(visitor, counted):
    make_user(email="ada@example.com")
    assert visitor().fail("ada@example.com", 6) == [200] * 5 + [429]
    assert (counted("failed"), counted("limited")) == (5, 1)


def test_right_password_is_refused_at_the_limit(visitor):
    make_user(email="ada@example.com")
    ada = visitor()
    ada.fail("ada@example.com", 5)
    answer = ada.log_in("ada@example.com")
    assert answer.status_code == 429
    assert 290 <= int(answer["Retry-After"]) <= 300


def test_unknown_and_known_account_get_the_same_refusal(visitor):
    make_user(email="ada@example.com")
    pages = {}
    for number, email in enumerate(("ada@example.com", "nobody@example.com")):
        stranger = visitor(f"192.0.{number}.7")
        stranger.fail(email, 5)
        pages[email] = stranger.log_in(email, "wrong")
    known, unknown = pages.values()
    assert (known.status_code, unknown.status_code) == (429, 429)
    assert known.text == unknown.text


def test_failures_of_an_account_count_from_all_networks(visitor):
    make_user(email="ada@example.com")
    assert [visitor(f"192.0.{number}.7").fail("ada@example.com")[0] for number in range(6)] == [
        200
    ] * 5 + [429]


def test_twenty_first_failure_of_a_network_is_refused(visitor):
    codes = [
        visitor(f"192.0.2.{number}").fail(f"person{number}@example.com")[0]
        for number in range(1, 22)
    ]
    assert codes == [200] * 20 + [429]
    assert visitor("192.0.3.1").fail("person1@example.com") == [200]


def test_addresses_of_one_ipv6_network_count_together(visitor):
    codes = [
        visitor(f"2001:db8:1:2::{number:x}").fail(f"person{number}@example.com")[0]
        for number in range(1, 22)
    ]
    assert codes == [200] * 20 + [429]
    assert visitor("2001:db8:1:3::1").fail("person1@example.com") == [200]


def test_window_slides(visitor, age):
    ada = visitor()
    ada.fail("ada@example.com", 3)
    age(200)
    assert ada.fail("ada@example.com", 3) == [200, 200, 429]
    age(101)
    assert ada.fail("ada@example.com", 4) == [200, 200, 200, 429]


def test_refusals_do_not_prolong_the_pause(visitor, age):
    ada = visitor()
    ada.fail("ada@example.com", 5)
    age(290)
    assert ada.fail("ada@example.com", 3) == [429] * 3
    age(11)
    assert ada.fail("ada@example.com") == [200]


def test_success_clears_the_account_but_not_the_network(visitor):
    make_user(email="ada@example.com")
    ada = visitor()
    ada.fail("ada@example.com", 4)
    assert ada.log_in("ada@example.com").status_code == 302
    assert visitor().fail("ada@example.com", 6) == [200] * 5 + [429]
    others = [visitor().fail(f"person{n}@example.com")[0] for n in range(12)]
    assert others == [200] * 11 + [429]


@pytest.mark.parametrize(
    "spelling", ["ADA@Example.COM", " ada@example.com ", "ａｄａ@example.com", "ada@example.com"]
)
def test_spellings_of_an_address_are_one_account(spelling):
    assert limits.account_key(spelling) == limits.account_key("ada@example.com")


def test_another_address_is_another_account():
    assert limits.account_key("ada@example.com") != limits.account_key("ada@example.org")


def test_forwarded_address_is_ignored_without_proxies(visitor):
    client = visitor().client
    codes = [
        client.post(
            "/login",
            {"login": f"p{n}@example.com", "password": "wrong"},
            headers={"X-Forwarded-For": f"198.51.{n}.7"},
        ).status_code
        for n in range(21)
    ]
    assert codes == [200] * 20 + [429]


def test_forwarded_addresses_before_trusted_proxies_are_ignored(visitor, settings):
    settings.TRUSTED_PROXIES = 1
    client = visitor().client
    codes = [
        client.post(
            "/login",
            {"login": f"p{n}@example.com", "password": "wrong"},
            headers={"X-Forwarded-For": f"198.51.{n}.7, 203.0.113.9:{4000 + n}"},
        ).status_code
        for n in range(21)
    ]
    assert codes == [200] * 20 + [429]


def test_tables_contain_no_address(visitor):
    visitor().fail("ada@example.com")
    rows = [row.key for row in LoginCounter.objects.all()]
    assert len(rows) == 4  # account, network, and two for the bound on events
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in rows)


def test_log_lines_contain_no_address(visitor, caplog):
    visitor().fail("ada@example.com", 6)
    assert "ada@example.com" not in caplog.text


def test_failures_write_one_event_a_window(visitor, age):
    user = make_user(email="ada@example.com")
    ada = visitor()
    ada.fail("ada@example.com", 7)
    events = Event.objects.filter(subject_type="user", subject_id=str(user.pk))
    assert sorted(events.values_list("kind", flat=True)) == ["login.failed", "login.limited"]
    assert events[0].data == {"network": "192.0.2.0/24"}
    age(301)
    ada.fail("ada@example.com")
    assert events.count() == 3


def test_failures_of_unknown_accounts_are_named_by_their_key(visitor):
    visitor().fail("nobody@example.com", 2)
    event = Event.objects.get(kind="login.failed")
    assert event.subject_id == limits.account_key("nobody@example.com")
    assert "nobody" not in str(event.data)


def test_events_of_a_flood_are_bounded(visitor, monkeypatch):
    monkeypatch.setattr(limits, "MAX_EVENTS", 3)
    for number in range(6):
        visitor(f"192.0.{number}.7").fail(f"person{number}@example.com")
    assert Event.objects.filter(kind="login.failed").count() == 3


def test_expired_rows_are_pruned(visitor, age):
    for number in range(8):
        visitor(f"192.0.{number}.7").fail(f"person{number}@example.com")
    age(301)
    for number in range(20, 24):
        visitor(f"192.0.{number}.7").fail(f"person{number}@example.com")
    # Four new accounts and networks, a pair for the events of each, and the flood's own row.
    assert LoginCounter.objects.count() <= 4 * 3 + 1


def test_log_in_writes_an_event_and_counts(visitor, counted):
    user = make_user(email="ada@example.com")
    visitor().log_in("ada@example.com")
    event = Event.objects.get(kind="user.logged_in")
    assert (event.actor, event.subject_id) == (user, str(user.pk))
    assert counted("succeeded") == 1


def test_old_password_of_the_change_page_is_limited(client):
    user = make_user(email="ada@example.com")
    client.force_login(user)
    data = {
        "old_password": "wrong",
        "new_password1": "another-word-551",
        "new_password2": "another-word-551",
    }
    codes = [client.post("/admin/password_change/", data).status_code for _ in range(6)]
    assert codes == [200] * 5 + [429]
    user.refresh_from_db()
    assert user.check_password("secret-word")
