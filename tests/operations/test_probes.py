import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_a_probe_may_call_the_process_by_its_address(client, path):
    assert client.get(path, headers={"host": "10.1.2.3:8000"}).status_code == 200


@pytest.mark.parametrize("path", ["/admin/login/", "/health/other"])
def test_everybody_else_must_call_it_by_an_allowed_name(client, path):
    assert client.get(path, headers={"host": "10.1.2.3:8000"}).status_code == 400
