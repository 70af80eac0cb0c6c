"""Every answer of every surface has the security headers, once."""

import asyncio

import pytest
from django.core.asgi import get_asgi_application
from django.db import connections

from leadgen.edge.app import Edge
from leadgen.operations import health
from leadgen.processes import request_limits
from leadgen.processes.request_limits import RequestLimits
from leadgen.processes.security_headers import HSTS, SecurityHeaders
from tests.edge.fixtures import Client
from tests.factories import make_form, make_user

ADA = {"name": "Ada", "email": "ada@example.com"}
EXPECTED = {
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "strict-transport-security": HSTS,
}
HTTPS = "https://forms.example.com"


@pytest.fixture
def surfaces(transactional_db, settings, monkeypatch):
    """Return a client of all surfaces, as asgi.py puts them together.

    Each request of Django has a thread of its own, which must not leave a connection behind.
    """
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    settings.PUBLIC_URL = HTTPS
    with asyncio.Runner() as runner:
        edge = Edge(RequestLimits(get_asgi_application()), max_age=0)
        client = Client(SecurityHeaders(edge), runner, headers={"host": "localhost"})  # type: ignore[arg-type]
        yield client
        runner.run(edge.close())


@pytest.fixture
def framed_form(transactional_db):
    return make_form(allowed_origins="https://www.example.com")


def page(form):
    return f"/f/{form.slug}"


def api(form):
    return f"/api/v1/public/forms/{form.public_id}"


WALK = {
    "form": (200, lambda c, f: c.get(page(f))),
    "form, head": (200, lambda c, f: c.send("HEAD", page(f))),
    "moved": (308, lambda c, f: c.get(f"{page(f)}/")),
    "sent": (303, lambda c, f: c.post_form(page(f), ADA)),
    "thanks": (200, lambda c, f: c.get(f"{page(f)}/thanks?receipt={'0' * 32}")),
    "form, wrong encoding": (400, lambda c, f: c.post_form(page(f), b"name=%FF")),
    "form, other website": (403, lambda c, f: c.post_form(page(f), ADA, origin="null")),
    "no form": (404, lambda c, f: c.get("/f/nowhere")),
    "form, method": (405, lambda c, f: c.send("PUT", page(f))),
    "form, too large": (413, lambda c, f: c.post_form(page(f), b"a" * 2_000_000)),
    "form, wrong type": (415, lambda c, f: c.send("POST", page(f), b"x")),
    "form, mistake": (422, lambda c, f: c.post_form(page(f), {})),
    "definition": (200, lambda c, f: c.get(api(f))),
    "definition, unchanged": (
        304,
        lambda c, f: c.get(api(f), if_none_match=c.get(api(f)).headers["etag"]),
    ),
    "preflight": (204, lambda c, f: c.send("OPTIONS", api(f), origin="https://www.example.com")),
    "submission": (201, lambda c, f: c.post_json(f"{api(f)}/submissions", {"fields": ADA})),
    "submission, no JSON": (400, lambda c, f: c.post_json(f"{api(f)}/submissions", b"{")),
    "submission, mistake": (422, lambda c, f: c.post_json(f"{api(f)}/submissions", {"fields": {}})),
    "no definition": (404, lambda c, f: c.get("/api/v1/public/forms/nosuchform22")),
    "root": (302, lambda c, f: c.get("/")),
    "log-in": (200, lambda c, f: c.get("/login")),
    "log-in, no token": (403, lambda c, f: c.post_form("/login", {})),
    "no page": (404, lambda c, f: c.get("/nowhere")),
    "other host": (400, lambda c, f: c.get("/login", host="evil.example")),
    "body for Django, too large": (413, lambda c, f: c.send("POST", "/login", b"a" * 300_000)),
    "no static file": (404, lambda c, f: c.get("/static/leadgen/nothing.css")),
    "alive": (200, lambda c, f: c.get("/health/live")),
    "ready": (200, lambda c, f: c.get("/health/ready")),
    "probe, method": (405, lambda c, f: c.send("OPTIONS", "/health/live")),
    "metrics": (200, lambda c, f: c.get("/metrics")),
}


def assert_secured(answer, status):
    assert answer.status == status
    assert {name: answer.headers.get(name) for name in EXPECTED} == EXPECTED
    assert answer.headers["referrer-policy"] in ("same-origin", "strict-origin-when-cross-origin")
    assert "server" not in answer.headers


@pytest.mark.parametrize("step", WALK)
def test_every_kind_of_answer_has_the_headers(surfaces, framed_form, step, monkeypatch):
    monkeypatch.setattr(request_limits, "LINGER_SECONDS", 0)
    status, ask = WALK[step]
    surfaces.get(page(framed_form))
    answer = ask(surfaces, framed_form)
    assert_secured(answer, status)


@pytest.mark.parametrize("path", ["page", "submissions"])
def test_refused_flood_has_the_headers(surfaces, framed_form, settings, path):
    settings.CAPTURE_LIMIT_PER_MINUTE = 0
    if path == "page":
        assert_secured(surfaces.post_form(page(framed_form), ADA), 429)
    else:
        assert_secured(surfaces.post_json(f"{api(framed_form)}/submissions", {"fields": ADA}), 429)


def test_errors_of_the_edge_have_the_headers(surfaces, framed_form, monkeypatch):
    monkeypatch.setattr("leadgen.edge.forms.hosted_form._prefilled", lambda *_: 1 / 0)
    assert_secured(surfaces.get(page(framed_form)), 500)


def test_errors_of_a_page_have_the_headers(surfaces, monkeypatch):
    monkeypatch.setattr("leadgen.operations.views.asdict", None)
    monkeypatch.setattr("leadgen.operations.health.keeps_submissions", lambda *_: 1 / 0)
    assert_secured(surfaces.get("/health/ready"), 500)


def test_unready_process_has_the_headers(surfaces, monkeypatch):
    monkeypatch.setattr(health, "keeps_submissions", lambda *_: False)
    assert_secured(surfaces.get("/health/ready"), 503)


def test_form_during_an_outage_has_the_headers(surfaces, monkeypatch):
    async def away(*_):
        from leadgen.capture.errors import DatabaseUnavailableError

        raise DatabaseUnavailableError

    monkeypatch.setattr("leadgen.edge.read_pool.ReadPool.fetch", away)
    assert_secured(surfaces.get("/f/nowhere"), 503)
    assert_secured(surfaces.get("/api/v1/public/forms/nosuchform22"), 503)


def test_page_for_a_person_has_the_headers(surfaces, client_session):
    assert_secured(surfaces.get("/admin/", cookie=f"sessionid={client_session}"), 200)


def test_http_deployment_sends_no_hsts(surfaces, settings):
    settings.PUBLIC_URL = "http://localhost:8000"
    surfaces.app = SecurityHeaders(surfaces.app._app)
    answer = surfaces.get("/health/live")
    assert "strict-transport-security" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.fixture
def client_session(client, transactional_db):
    client.force_login(make_user())
    return client.session.session_key
