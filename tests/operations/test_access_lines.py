import asyncio
import json
import logging
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import AsyncClient, RequestFactory
from prometheus_client import REGISTRY

from leadgen.lib.telemetry import request_context
from leadgen.operations.middleware import RequestLogMiddleware
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def access(caplog):
    caplog.set_level(logging.INFO, "leadgen.access")
    return lambda: [line for line in caplog.records if line.name == "leadgen.access"]


def counted(route, status):
    labels = {"route": route, "method": "GET", "status": str(status)}
    return REGISTRY.get_sample_value("leadgen_requests_total", labels) or 0


def test_answer_is_logged_in_one_line_without_its_query(client, access):
    client.get("/login?q=ada@example.com")
    (line,) = access()
    assert line.getMessage() == "GET /login 200"
    assert (line.route, line.status) == ("account_login", 200)
    assert line.ms >= 0


def test_a_line_names_the_user_by_number(client, access):
    user = make_user()
    client.force_login(user)
    client.get("/")
    assert access()[-1].user == user.pk


def test_probes_are_not_logged(client, access):
    client.get("/health/live")
    assert access() == []


def test_valid_request_id_is_adopted_and_returned(client):
    answer = client.get("/health/live", headers={"X-Request-ID": "abc-1"})
    assert answer["X-Request-ID"] == "abc-1"


@pytest.mark.parametrize("offered", ["", "a b", "x" * 65, '{"a":1}', "ü"])
def test_any_other_request_id_is_replaced(client, offered):
    answer = client.get("/health/live", headers={"X-Request-ID": offered})
    assert answer["X-Request-ID"] != offered
    assert len(answer["X-Request-ID"]) == 32


def test_request_id_is_set_during_the_request_only():
    seen = []

    def view(request):
        seen.append(request_context.request_id.get())
        return HttpResponse()

    RequestLogMiddleware(view)(RequestFactory().get("/", headers={"X-Request-ID": "abc-1"}))
    assert (seen, request_context.request_id.get()) == (["abc-1"], "")


def test_unknown_paths_are_counted_as_one_route(client):
    before = counted("unmatched", 404)
    client.get("/no/such/page")
    client.get("/nor/this/one")
    assert counted("unmatched", 404) == before + 2


def test_an_asynchronous_chain_stays_asynchronous():
    async def view(request):
        return HttpResponse(request_context.request_id.get())

    middleware: Any = RequestLogMiddleware(view)
    request = RequestFactory().get("/", headers={"X-Request-ID": "abc-1"})

    async def answer():
        return await middleware(request)

    assert asyncio.run(answer()).content == b"abc-1"


def test_the_asgi_handler_answers_with_the_request_id():
    answer = asyncio.run(AsyncClient().get("/health/live", headers={"X-Request-ID": "abc-1"}))
    assert json.loads(answer.content)["ok"]
    assert answer["X-Request-ID"] == "abc-1"
