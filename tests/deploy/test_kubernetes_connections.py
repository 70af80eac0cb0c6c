"""The database of the example size accepts every connection that an overlay's pods may open."""

import re

import pytest

from deploy.policy import connections
from tests.deploy import manifests, planted

ROOTS = manifests.ROOT / "deploy" / "terraform" / "roots"


def example_size(overlay):
    if overlay == "local":
        return ""
    text = (ROOTS / overlay / "terraform.tfvars.example").read_text()
    found = re.search(r'^database_size\s*= "(.+)"', text, re.M)
    assert found
    return found[1]


@pytest.mark.parametrize("overlay", manifests.OVERLAYS)
def test_budget_of_connections_fits_the_example_size(overlay):
    objects = manifests.rendered(overlay)
    limit = connections.limit(objects, example_size(overlay))
    assert connections.budget(objects) <= limit


@pytest.mark.parametrize("cloud", manifests.CLOUDS)
def test_budget_of_connections_fits_cloudnativepg(cloud, tmp_path):
    objects = manifests.self_managed(cloud, "postgres-cnpg", tmp_path)
    assert connections.budget(objects) <= connections.limit(objects, "")


@pytest.mark.parametrize(
    ("scaler", "key", "each"),
    [
        ("HorizontalPodAutoscaler/web", "maxReplicas", 12),
        ("ScaledObject/worker", "maxReplicaCount", 4),
    ],
)
def test_each_replica_adds_to_the_budget(scaler, key, each):
    objects = manifests.rendered("digitalocean")
    before = connections.budget(objects)
    planted.find(objects, scaler)["spec"][key] += 1
    assert connections.budget(objects) == before + each
    assert connections.budget(objects) > connections.LIMITS[example_size("digitalocean")]


def test_default_pools_of_ten_web_pods_do_not_fit():
    objects = manifests.rendered("digitalocean")
    planted.find(objects, "HorizontalPodAutoscaler/web")["spec"]["maxReplicas"] = 10
    settings = planted.find(objects, "ConfigMap/leadgen-*")["data"]
    del settings["DATABASE_POOL_SIZE"], settings["CAPTURE_POOL_SIZE"]
    assert connections.budget(objects) > 372
