import pytest
from django.db import OperationalError
from django.urls import NoReverseMatch, reverse

from leadgen.accounts.login import limits
from leadgen.accounts.models import User
from leadgen.accounts.roles import Role
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", Role)
def test_each_role_logs_in(visitor, role):
    make_user(role, email="ada@example.com")
    answer = visitor().log_in("Ada@Example.com")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_person_switched_off_is_answered_like_a_wrong_password(visitor):
    make_user(email="ada@example.com", is_active=False)
    answer = visitor().log_in("ada@example.com")
    assert answer.status_code == 200
    assert "not correct" in answer.text


def test_wrong_password_keeps_the_address_and_moves_the_focus(visitor):
    make_user(email="ada@example.com")
    page = visitor().log_in("ada@example.com", "wrong").text
    assert 'role="alert"' in page
    assert 'value="ada@example.com"' in page
    password = page.split('name="password"')[1].split(">")[0]
    assert " autofocus" in password
    assert 'aria-describedby="alert"' in password
    assert "wrong" not in password


def test_fields_carry_attributes_for_password_managers(client):
    page = client.get("/login").text
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page
    assert '<label for="id_login">Email' in page
    assert "<script" not in page


@pytest.mark.parametrize("method", ["get", "post"])
def test_log_in_of_the_admin_site_redirects(method, client):
    client.handler.enforce_csrf_checks = True
    make_user(email="ada@example.com")
    data = {"username": "ada@example.com", "password": "secret-word", "next": "/admin/leads/"}
    answer = getattr(client, method)("/admin/login/", data)
    assert answer.status_code == 303
    assert answer["Location"] == "/login?next=%2Fadmin%2Fleads%2F"
    assert "_auth_user_id" not in client.session


def test_log_in_redirects_to_the_requested_page(visitor):
    make_user(email="ada@example.com")
    ada = visitor()
    first = ada.client.get("/admin/leads/lead/?view=all")
    second = ada.client.get(first["Location"])
    page = ada.client.get(second["Location"]).text
    assert 'name="next" value="/admin/leads/lead/?view=all"' in page
    answer = ada.log_in("ada@example.com", next="/admin/leads/lead/?view=all")
    assert answer["Location"] == "/admin/leads/lead/?view=all"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example.com/",
        "//evil.example.com/",
        "/\\evil.example.com",
        "javascript:alert(1)",
        "http:///evil.example.com",
        "\thttps://evil.example.com",
        "https://testserver@evil.example.com",
        "/login",
        "/login?next=/login",
    ],
)
def test_log_in_leads_to_no_other_site(visitor, target):
    make_user(email="ada@example.com")
    assert visitor().log_in("ada@example.com", next=target)["Location"] == "/admin/"


def test_logged_in_user_is_redirected_from_the_log_in(client):
    client.force_login(make_user())
    assert client.get("/login")["Location"] == "/admin/"
    assert client.get("/login?next=/admin/leads/lead/")["Location"] == "/admin/leads/lead/"


def test_sign_up_is_disabled(client):
    assert client.get("/signup").status_code == 404
    assert client.get("/login/signup").status_code == 404
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")


def test_session_changes_and_csrf_is_checked(client):
    client.handler.enforce_csrf_checks = True
    make_user(email="ada@example.com")
    data = {"login": "ada@example.com", "password": "secret-word"}
    assert client.post("/login", data).status_code == 403


def test_former_address_cannot_log_in(visitor):
    user = make_user(email="ada@example.com")
    assert visitor().log_in("ada@example.com").status_code == 302
    visitor().client.post("/login/reset", {"email": "ada@example.com"})
    user.email = "new@example.com"
    user.save()
    assert visitor().log_in("ada@example.com").status_code == 200
    assert visitor().log_in("new@example.com").status_code == 302


@pytest.mark.parametrize("password", ["x" * 5000, "a\x00b", ""])
def test_unusable_password_is_refused_before_hashing(visitor, password, monkeypatch):
    make_user(email="ada@example.com")
    monkeypatch.setattr(User, "check_password", lambda *_: pytest.fail("it was looked at"))
    assert visitor().log_in("ada@example.com", password).status_code == 200


def test_log_in_is_refused_without_the_database(visitor, monkeypatch, counted, caplog):
    make_user(email="ada@example.com")

    def away(*_):
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(limits, "count_attempt", away)
    answer = visitor().log_in("ada@example.com")
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "send it again in a minute" in answer.text
    assert counted("unavailable") == 1
    assert "Traceback" not in caplog.text
    loggers = ("leadgen.workspace.login", "leadgen.access")
    assert [line.levelname for line in caplog.records if line.name.startswith(loggers)] == [
        "WARNING",
        "INFO",
    ]
