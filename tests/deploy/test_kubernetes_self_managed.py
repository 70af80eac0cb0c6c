from itertools import product

import pytest

from deploy.policy import kubernetes
from deploy.policy.network import Place, allowed, our_places
from tests.deploy import manifests, planted

HOSTS = {"postgres": "postgres", "postgres-cnpg": "postgres-rw"}
MODES = {"postgres": "", "postgres-cnpg": "require"}


@pytest.fixture(scope="module", params=product(manifests.CLOUDS, HOSTS), ids="-".join)
def switched(request, tmp_path_factory):
    cloud, database = request.param
    folder = tmp_path_factory.mktemp(f"{cloud}-{database}")
    return cloud, database, manifests.self_managed(cloud, database, folder)


def secret(objects, name):
    return planted.find(objects, f"ExternalSecret/{name}")["spec"]


def test_it_fits_every_schema_and_keeps_every_rule(switched):
    _, _, objects = switched
    assert manifests.faults(objects) + kubernetes.findings(objects) == []


def test_application_urls_name_the_cluster_services(switched):
    _, database, objects = switched
    urls = secret(objects, "leadgen")["target"]["template"]["data"]
    assert f'"{HOSTS[database]}" "5432" "leadgen"' in urls["DATABASE_URL"]
    assert '"amqp://' in urls["BROKER_URL"]
    assert '"rabbitmq" "5672"' in urls["BROKER_URL"]


def test_database_and_application_share_one_password(switched):
    cloud, database, objects = switched
    name = {"postgres": "postgres", "postgres-cnpg": "postgres-owner"}[database]
    keys = {entry["remoteRef"]["key"] for entry in secret(objects, name)["data"]}
    assert keys == {manifests.told(cloud)["db_secret"]}
    made = {entry["secretKey"] for entry in secret(objects, name)["data"]}
    assert made == {"postgres": {"password"}, "postgres-cnpg": {"username", "password"}}[database]
    mounted = planted.find(
        objects, "StatefulSet/postgres" if database == "postgres" else "Cluster/*"
    )
    assert f"'{name}'" in str(mounted["spec"])


def test_certificate_is_checked_if_the_database_has_one(switched):
    _, database, objects = switched
    given = planted.find(objects, "ConfigMap/leadgen-*")["data"]
    assert given.get("PGSSLMODE", "") == MODES[database]
    assert "PGSSLROOTCERT" not in given


def test_callers_reach_the_database_and_nothing_outside(switched):
    cloud, _, objects = switched
    inside = Place("postgres", labels={"app.kubernetes.io/name": "postgres"})
    outside = Place("own-network", address="10.20.3.4")
    callers = [place for place in our_places(objects) if place.labels.get("reaches-database")]
    assert {place.name for place in callers} >= {"web", "worker", "migrate", "backup"}
    assert all(allowed(objects, caller, inside, 5432) for caller in callers)
    port = int(manifests.told(cloud)["db_port"])
    assert not any(allowed(objects, caller, outside, port) for caller in callers)
