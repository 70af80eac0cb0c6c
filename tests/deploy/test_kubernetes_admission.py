from fnmatch import fnmatch

import pytest

from deploy.policy import wiring
from tests.deploy import manifests, planted


@pytest.fixture(scope="module")
def objects():
    return manifests.kustomize(manifests.KUBERNETES / "admission")


def test_admission_objects_fit_schemas_and_have_labels(objects):
    assert manifests.faults(objects) == []
    assert list(wiring.everything_is_labelled(objects)) == []
    assert len(objects) == 3


def test_the_image_that_runs_is_the_one_that_must_be_signed(objects):
    policy = planted.find(objects, "ImageValidatingPolicy/*")["spec"]
    (asked,) = policy["matchImageReferences"]
    web = planted.find(manifests.rendered("aws"), planted.WEB)["spec"]["template"]["spec"]
    assert fnmatch(web["containers"][0]["image"], asked["glob"])
    assert not fnmatch(web["containers"][0]["image"].replace("@", "-other@"), asked["glob"])


def test_signature_policy_follows_the_released_registry(tmp_path):
    manifests.changed("aws", tmp_path, set())
    release = tmp_path / "kubernetes/release/release.env"
    release.write_text(release.read_text().replace("registry.example.com", "ghcr.io/owner"))
    objects = manifests.kustomize(tmp_path / "kubernetes/admission")
    policy = planted.find(objects, "ImageValidatingPolicy/*")["spec"]
    assert policy["matchImageReferences"] == [{"glob": "ghcr.io/owner/leadgen@*"}]


CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


@pytest.mark.parametrize("kind", CONTAINERS)
def test_every_kind_of_container_must_be_signed(objects, kind):
    policy = planted.find(objects, "ImageValidatingPolicy/*")["spec"]
    assert f"images.{kind}.map(" in policy["validations"][0]["expression"]


@pytest.mark.parametrize("kind", CONTAINERS)
def test_every_kind_of_container_needs_a_digest(objects, kind):
    spec = planted.find(objects, "ValidatingAdmissionPolicy/leadgen-pods")["spec"]
    images = next(one for one in spec["variables"] if one["name"] == "images")["expression"]
    assert f"object.spec.{kind}.map(" in images


def test_policies_cover_every_pod_of_the_namespace(objects):
    for name in ("ValidatingAdmissionPolicy/leadgen-pods", "ImageValidatingPolicy/*"):
        spec = planted.find(objects, name)["spec"]
        (rule,) = spec["matchConstraints"]["resourceRules"]
        assert set(rule["resources"]) == {"pods", "pods/ephemeralcontainers"}
        assert "matchConditions" not in spec


def test_services_of_components_are_admitted_by_their_version(tmp_path, objects):
    spec = planted.find(objects, "ValidatingAdmissionPolicy/leadgen-pods")["spec"]
    listed = next(one for one in spec["variables"] if one["name"] == "services")["expression"]
    for name in ("postgres", "rabbitmq", "seaweedfs"):
        stateful = manifests.combined({name}, tmp_path / name)
        pod = planted.find(stateful, f"StatefulSet/{name}")["spec"]["template"]["spec"]
        used = {one["image"] for one in (*pod["containers"], *pod.get("initContainers", []))}
        assert all(f"'{image.partition(':')[0]}'" in listed for image in used)
