"""Refusals can be read where they are shown: in an allowed frame, by a script."""

import pytest

from leadgen.capture.models import Submission
from leadgen.forms.models import Form
from tests.factories import make_form

ADA = {"name": "Ada", "email": "ada@example.com"}
SITE = "https://www.example.com"


@pytest.fixture
def framed_form(transactional_db):
    return make_form(allowed_origins=SITE)


def is_framed(answer):
    return f"frame-ancestors 'self' {SITE}" in answer.headers["content-security-policy"]


def unpublish(form):
    Form.objects.update(published=None)


REFUSED = {
    400: lambda client, path: client.post_form(path, b"name=%FF"),
    403: lambda client, path: client.post_form(path, ADA, origin="null"),
    405: lambda client, path: client.send("DELETE", path),
    413: lambda client, path: client.post_form(path, {"name": "漢" * 200_000}),
    415: lambda client, path: client.send("POST", path, b"{}", content_type="application/json"),
    422: lambda client, path: client.post_form(path, {}),
}


@pytest.mark.parametrize("status", REFUSED)
def test_refusal_is_readable_in_an_allowed_frame(client, framed_form, status):
    client.get(f"/f/{framed_form.slug}")
    answer = REFUSED[status](client, f"/f/{framed_form.slug}")
    assert (answer.status, is_framed(answer)) == (status, True)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_refusal_of_a_flood_is_readable_in_an_allowed_frame(client, framed_form, settings):
    settings.CAPTURE_LIMIT_PER_MINUTE = 0
    answer = client.post_form(f"/f/{framed_form.slug}", ADA)
    assert (answer.status, is_framed(answer)) == (429, True)


def test_closed_form_is_readable_in_an_allowed_frame(client, framed_form):
    unpublish(framed_form)
    for answer in (
        client.get(f"/f/{framed_form.slug}"),
        client.post_form(f"/f/{framed_form.slug}", ADA),
    ):
        assert (answer.status, is_framed(answer)) == (404, True)


def test_error_is_readable_in_an_allowed_frame(client, framed_form, monkeypatch):
    monkeypatch.setattr("leadgen.edge.forms.hosted_form._prefilled", lambda *_: 1 / 0)
    answer = client.get(f"/f/{framed_form.slug}")
    assert (answer.status, is_framed(answer)) == (500, True)


def test_refusal_of_an_unknown_form_is_framed_by_no_website(client):
    policy = client.get("/f/nowhere").headers["content-security-policy"]
    assert "frame-ancestors 'self'" in policy
    assert SITE not in policy


@pytest.mark.parametrize(
    ("method", "suffix", "status"),
    [("GET", "", 404), ("POST", "/submissions", 404), ("PUT", "/submissions", 405)],
)
def test_scripts_may_read_the_refusal_of_an_unknown_form(client, method, suffix, status):
    path = f"/api/v1/public/forms/nosuchform22{suffix}"
    answer = client.send(method, path, b'{"fields": {}}', origin="https://a.example")
    assert answer.status == status
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Retry-After" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("suffix", ["", "/submissions"])
def test_preflight_of_an_unknown_form_is_allowed(client, suffix):
    path = f"/api/v1/public/forms/nosuchform22{suffix}"
    answer = client.send("OPTIONS", path, origin="https://a.example")
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Content-Type" in answer.headers["access-control-allow-headers"]


def test_scripts_may_read_that_a_form_is_closed(client, framed_form):
    unpublish(framed_form)
    path = f"/api/v1/public/forms/{framed_form.public_id}"
    for answer in (
        client.get(path, origin=SITE),
        client.post_json(f"{path}/submissions", {"fields": ADA}, origin=SITE),
    ):
        assert answer.status == 404
        assert answer.headers["access-control-allow-origin"] in ("*", SITE)


def test_scripts_may_read_that_the_database_is_unavailable(make_client, away):
    cut_off = make_client(away, timeout=0.2)
    answer = cut_off.get("/api/v1/public/forms/nosuchform22", origin="https://a.example")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (503, "*")


@pytest.mark.parametrize("query", ["", "?receipt=", "?receipt=%3Cscript%3E", "?receipt=1"])
def test_thanks_without_a_receipt_lead_to_the_form(client, framed_form, query):
    answer = client.get(f"/f/{framed_form.slug}/thanks{query}")
    assert (answer.status, answer.headers["location"]) == (303, f"/f/{framed_form.slug}")
    assert answer.headers["cache-control"] == "no-store"
    assert not Submission.objects.exists()
