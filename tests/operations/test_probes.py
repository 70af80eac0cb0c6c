import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded"])
@pytest.mark.parametrize("path", ["/health/ready", "/metrics", "/%6detrics", "/health/%72eady"])
@pytest.mark.parametrize("value", ["203.0.113.9", ""])
def test_forwarded_request_finds_no_internal_page(client, path, header, value):
    answer = client.get(path, headers={header: value})
    assert (answer.status_code, answer.content) == (404, b"")


def test_liveness_is_public(client):
    answer = client.get("/health/live", headers={"x-forwarded-for": "203.0.113.9"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_probe_may_use_an_address_outside_allowed_hosts(client, path):
    assert client.get(path, headers={"host": "10.1.2.3:8000"}).status_code == 200


@pytest.mark.parametrize("path", ["/admin/login/", "/health/other"])
def test_other_paths_need_an_allowed_host(client, path):
    assert client.get(path, headers={"host": "10.1.2.3:8000"}).status_code == 400
