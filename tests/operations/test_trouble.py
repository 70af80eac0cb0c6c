import asyncio

import pytest
from django.db import OperationalError, connection
from django.test import AsyncClient, Client
from django.urls import path

from leadgen import urls
from tests.factories import make_user


def raise_database_error(request):
    raise OperationalError("the connection is lost")


def raise_value_error(request):
    raise ValueError("a mistake of ours")


handler400, handler403, handler404 = urls.handler400, urls.handler403, urls.handler404
handler500 = urls.handler500
urlpatterns = [
    *urls.urlpatterns,
    path("away", raise_database_error),
    path("broken", raise_value_error),
]


@pytest.fixture
def client(client):
    client.raise_request_exception = False
    return client


@pytest.mark.django_db
def test_page_of_a_read_only_database_explains_to_resend(client):
    make_user(email="ada@example.com")
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
    told = {"login": "ada@example.com", "password": "secret-word"}
    answer = client.post("/login", told)
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "send it again" in answer.text


@pytest.mark.urls(__name__)
def test_other_error_gets_the_page_for_500(client):
    answer = client.get("/broken")
    assert answer.status_code == 500
    assert "Something broke" in answer.text


@pytest.mark.urls(__name__)
def test_asynchronous_chain_answers_500_and_503():
    client = AsyncClient(raise_request_exception=False)
    answers = [asyncio.run(client.get(address)) for address in ("/away", "/broken")]
    assert [answer.status_code for answer in answers] == [503, 500]


@pytest.mark.parametrize(("path", "status"), [("/login", 400), ("/nowhere", 404)])
@pytest.mark.parametrize("charset", ["utf-7", "idna", "utf-16"])
def test_a_body_that_cannot_be_read_is_the_senders_fault(path, status, charset):
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    answer = client.post(path, b"login=a%40example.com", content_type=kind)
    assert answer.status_code == status
