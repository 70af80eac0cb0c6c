from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from deploy.policy import kubernetes
from tests.deploy import manifests, planted
from tests.deploy.manifests import ALTERNATIVES, COMPONENTS, KUBERNETES, OVERLAYS


def troubles(objects):
    return manifests.faults(objects) + kubernetes.findings(objects)


def troubles_of(pair, folder):
    name = "+".join(sorted(pair))
    return [f"{name}: {said}" for said in troubles(manifests.combined(pair, folder / name))]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_fits_every_schema_and_keeps_every_rule(overlay):
    assert troubles(manifests.rendered(overlay)) == []


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_alone_fits_every_schema_and_keeps_every_rule(component, tmp_path):
    assert troubles(manifests.combined({component}, tmp_path / "one")) == []


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_goes_with_each_that_comes_after_it(component, tmp_path):
    later = COMPONENTS[COMPONENTS.index(component) + 1 :]
    pairs = [{component, other} for other in later if {component, other} not in ALTERNATIVES]
    with ThreadPoolExecutor(2) as executor:
        found = list(executor.map(lambda pair: troubles_of(pair, tmp_path), pairs))
    assert [said for said in found if said] == []


def test_every_component_is_among_those_that_are_combined():
    assert {path.name for path in (KUBERNETES / "components").iterdir()} == set(COMPONENTS)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_takes_its_components_in_their_order_and_the_release_last(overlay):
    text = (KUBERNETES / "overlays" / overlay / "kustomization.yaml").read_text()
    *taken, last = (path.rsplit("/", 1)[-1] for path in yaml.safe_load(text)["components"])
    assert (taken, last) == ([name for name in COMPONENTS if name in taken], "release")


def test_what_argo_cd_is_given_fits_its_schema():
    path = KUBERNETES / "components/gitops-argocd/application.yaml"
    application = yaml.safe_load(path.read_text())
    assert manifests.faults([application]) == []
    assert (KUBERNETES.parents[1] / application["spec"]["source"]["path"]).is_dir()


# What waits for running roles, or for DNS that points at the gateway's address.
LAST = {"HorizontalPodAutoscaler", "ScaledObject", "Gateway", "HTTPRoute", "Certificate"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_under_argo_cd_settings_come_first_then_the_schema_then_the_roles(overlay, tmp_path):
    objects = manifests.kustomize(manifests.changed(overlay, tmp_path, {"gitops-argocd"}))
    assert troubles(objects) == []
    for found in objects:
        wave = found["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0")
        wanted = {"Job": "1", "Deployment": "2"} | dict.fromkeys(LAST, "3")
        assert wave == wanted.get(found["kind"], "0"), found["kind"]


def test_argo_cd_and_the_cloud_may_both_annotate_the_gateway(tmp_path):
    objects = manifests.kustomize(manifests.changed("gcp", tmp_path, {"gitops-argocd"}))
    gateway = planted.find(objects, "Gateway/web")["metadata"]["annotations"]
    assert gateway["networking.gke.io/certmap"] == "leadgen"
