"""Pages of this server and of allowed websites may post, whatever way their origin is written."""

import re

import pytest

from leadgen.capture.models import Submission
from leadgen.edge.http.messages import Request
from leadgen.edge.http.origins import is_own
from tests.factories import make_form

ADA = {"name": "Ada", "email": "ada@example.com"}


@pytest.fixture
def framed_form(transactional_db):
    return make_form(allowed_origins="https://www.example.com")


def token_of(client, form):
    found = re.search(r'name="_token" value="([^"]*)"', client.get(f"/f/{form.slug}").text)
    assert found
    return found[1]


def own(origin, host, scheme="http", **headers):
    scope = {
        "method": "POST",
        "path": "/",
        "scheme": scheme,
        "client": ("203.0.113.9", 1),
        "headers": [
            (name.replace("_", "-").encode(), value.encode())
            for name, value in {"host": host, **headers}.items()
        ],
    }
    return is_own(origin, Request.of(scope, None, 0))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://forms.example.com", "FORMS.example.com"),
        ("http://forms.example.com", "forms.example.com:80"),
        ("http://Forms.Example.com:80", "forms.example.com"),
        ("http://forms.example.com:8080", "forms.example.com:8080"),
        ("http://xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("http://[2001:db8::1]:8000", "[2001:DB8::1]:8000"),
        ("https://main.example.com", "other.example.com"),
        ("https://main.example.com:443", "other.example.com"),
    ],
)
def test_own_origin_is_compared_as_a_browser_compares(settings, origin, host):
    settings.PUBLIC_URL = "https://main.example.com"
    assert own(origin, host)


@pytest.mark.parametrize(
    "origin",
    [
        "x://testserver",
        "ftp://testserver",
        "http://testserver.evil.example",
        "http://testserver:81",
        "http://evil.example",
        "testserver",
        "://testserver",
        "null",
        "*",
        "",
        "http://testserver:99999999",
    ],
)
def test_another_origin_is_not_own(settings, origin):
    settings.PUBLIC_URL = "http://localhost:8000"
    assert not own(origin, "testserver")


@pytest.mark.parametrize(
    ("proxies", "forwarded", "accepted"),
    [(1, "https", "https"), (1, "http", "http"), (1, "", "https"), (0, "", "http")],
)
def test_own_origin_has_the_scheme_of_the_visitor(settings, proxies, forwarded, accepted):
    settings.PUBLIC_URL = "https://main.example.com" if proxies else "http://main.example.com"
    settings.TRUSTED_PROXIES = proxies
    headers = {"x_forwarded_proto": forwarded} if forwarded else {}
    schemes = [each for each in ("http", "https") if own(f"{each}://second", "second", **headers)]
    assert schemes == [accepted]


def test_http_page_of_an_https_host_is_not_own(settings):
    settings.PUBLIC_URL = "https://main.example.com"
    assert not own("http://main.example.com", "main.example.com")


def test_another_scheme_is_not_echoed_to_scripts(client, framed_form):
    answer = client.get(f"/api/v1/public/forms/{framed_form.public_id}", origin="x://testserver")
    assert "access-control-allow-origin" not in answer.headers


def test_own_page_with_a_hidden_origin_may_post(client, framed_form):
    sent = {**ADA, "_token": token_of(client, framed_form)}
    hidden = {"origin": "null", "sec_fetch_site": "same-origin"}
    assert client.post_form(f"/f/{framed_form.slug}", sent, **hidden).status == 303
    assert Submission.objects.count() == 1


@pytest.mark.parametrize(
    ("site", "has_token"),
    [("cross-site", True), ("same-site", True), ("none", True), ("", True), ("same-origin", False)],
)
def test_other_hidden_origins_may_not_post(client, framed_form, site, has_token):
    token = token_of(client, framed_form) if has_token else "forged"
    headers = {"origin": "null", "sec_fetch_site": site}
    answer = client.post_form(f"/f/{framed_form.slug}", {**ADA, "_token": token}, **headers)
    assert (answer.status, Submission.objects.count()) == (403, 0)


def test_allowed_website_is_compared_without_case_and_port(client, framed_form):
    for origin in ("HTTPS://WWW.Example.com", "https://www.example.com:443"):
        assert client.post_form(f"/f/{framed_form.slug}", ADA, origin=origin).status == 303
