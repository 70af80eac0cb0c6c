import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_probe_may_use_an_address_outside_allowed_hosts(client, path):
    assert client.get(path, headers={"host": "10.1.2.3:8000"}).status_code == 200


@pytest.mark.parametrize("path", ["/admin/login/", "/health/other"])
def test_other_paths_need_an_allowed_host(client, path):
    assert client.get(path, headers={"host": "10.1.2.3:8000"}).status_code == 400
