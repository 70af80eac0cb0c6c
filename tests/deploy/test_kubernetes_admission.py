from fnmatch import fnmatch

import pytest

from deploy.policy import wiring
from tests.deploy import manifests, planted


@pytest.fixture(scope="module")
def objects():
    return manifests.kustomize(manifests.KUBERNETES / "admission")


def test_what_an_administrator_applies_fits_its_schemas_and_is_labelled(objects):
    assert manifests.faults(objects) == []
    assert list(wiring.everything_is_labelled(objects)) == []
    assert len(objects) == 3


def test_the_image_that_runs_is_the_one_that_must_be_signed(objects):
    policy = planted.find(objects, "ImageValidatingPolicy/*")["spec"]
    (asked,) = policy["matchImageReferences"]
    web = planted.find(manifests.rendered("aws"), planted.WEB)["spec"]["template"]["spec"]
    assert fnmatch(web["containers"][0]["image"], asked["glob"])
    assert not fnmatch(web["containers"][0]["image"].replace("@", "-other@"), asked["glob"])


def test_another_registry_is_asked_for_once_its_image_is_released(tmp_path):
    manifests.changed("aws", tmp_path, set())
    release = tmp_path / "kubernetes/release/release.env"
    release.write_text(release.read_text().replace("registry.example.com", "ghcr.io/owner"))
    objects = manifests.kustomize(tmp_path / "kubernetes/admission")
    policy = planted.find(objects, "ImageValidatingPolicy/*")["spec"]
    assert policy["matchImageReferences"] == [{"glob": "ghcr.io/owner/leadgen@*"}]


def test_containers_that_prepare_a_pod_must_be_signed_as_well(objects):
    policy = planted.find(objects, "ImageValidatingPolicy/*")["spec"]
    assert "images.initContainers" in policy["validations"][0]["expression"]
