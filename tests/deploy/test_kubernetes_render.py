from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from deploy.policy import kubernetes
from deploy.policy.workloads import GRACEFUL_TIMEOUT, SPARE
from tests.deploy import manifests, planted
from tests.deploy.manifests import ALTERNATIVES, COMPONENTS, KUBERNETES, OVERLAYS


def find_problems(objects):
    return manifests.faults(objects) + kubernetes.findings(objects)


def problems_of_pair(pair, folder):
    name = "+".join(sorted(pair))
    return [f"{name}: {said}" for said in find_problems(manifests.combined(pair, folder / name))]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_fits_every_schema_and_keeps_every_rule(overlay):
    assert find_problems(manifests.rendered(overlay)) == []


@pytest.mark.parametrize("component", COMPONENTS)
def test_single_component_fits_schemas_and_rules(component, tmp_path):
    assert find_problems(manifests.combined({component}, tmp_path / "one")) == []


@pytest.mark.parametrize("component", COMPONENTS)
def test_pairs_of_components_fit_schemas_and_rules(component, tmp_path):
    later = COMPONENTS[COMPONENTS.index(component) + 1 :]
    pairs = [{component, other} for other in later if {component, other} not in ALTERNATIVES]
    with ThreadPoolExecutor(2) as executor:
        found = list(executor.map(lambda pair: problems_of_pair(pair, tmp_path), pairs))
    assert [said for said in found if said] == []


def test_a_pod_on_gke_outlives_its_endpoint_at_the_balancer():
    """kubernetes/ingress-gce#769: each proxy removes an endpoint within a minute, not at once."""
    objects = manifests.rendered("gcp")
    policy = planted.find(objects, "GCPBackendPolicy/web")["spec"]
    pod = planted.find(objects, planted.WEB)["spec"]["template"]["spec"]
    sleep = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert policy["targetRef"] == {"group": "", "kind": "Service", "name": "web"}
    assert sleep >= policy["default"]["connectionDraining"]["drainingTimeoutSec"] >= 60
    assert pod["terminationGracePeriodSeconds"] >= sleep + GRACEFUL_TIMEOUT + SPARE


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_gateway_publishes_no_internal_page(overlay):
    rules = planted.find(manifests.rendered(overlay), "HTTPRoute/web")["spec"]["rules"]
    hidden = {
        match["path"]["value"]
        for rule in rules
        for match in rule["matches"]
        if not rule.get("backendRefs") and match["path"]["type"] == "Exact"
    }
    assert hidden == {"/metrics", "/health/ready"}


@pytest.mark.parametrize("cloud", ["gcp", "digitalocean"])
def test_the_brokers_own_metrics_are_scraped(cloud):
    objects = manifests.rendered(cloud)
    spec = planted.find(objects, "PodMonitor/rabbitmq")["spec"]
    template = planted.find(objects, "StatefulSet/rabbitmq")["spec"]["template"]
    ports = {
        port["name"]: port["containerPort"] for port in template["spec"]["containers"][0]["ports"]
    }
    wanted = spec["selector"]["matchLabels"].items()
    assert wanted <= template["metadata"]["labels"].items()
    assert [ports[one["port"]] for one in spec["podMetricsEndpoints"]] == [15692]


def test_every_component_is_among_those_that_are_combined():
    assert {path.name for path in (KUBERNETES / "components").iterdir()} == set(COMPONENTS)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_overlays_list_components_in_order_release_last(overlay):
    text = (KUBERNETES / "overlays" / overlay / "kustomization.yaml").read_text()
    *taken, last = (path.rsplit("/", 1)[-1] for path in yaml.safe_load(text)["components"])
    assert (taken, last) == ([name for name in COMPONENTS if name in taken], "release")


def test_argo_cd_application_fits_its_schema():
    path = KUBERNETES / "components/gitops-argocd/application.yaml"
    application = yaml.safe_load(path.read_text())
    assert manifests.faults([application]) == []
    assert (KUBERNETES.parents[1] / application["spec"]["source"]["path"]).is_dir()


# What waits for running roles, or for DNS that points at the gateway's address.
LAST = {"HorizontalPodAutoscaler", "ScaledObject", "Gateway", "HTTPRoute", "Certificate"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_argo_cd_waves_order_settings_schema_and_roles(overlay, tmp_path):
    objects = manifests.kustomize(manifests.changed(overlay, tmp_path, {"gitops-argocd"}))
    assert find_problems(objects) == []
    for found in objects:
        wave = found["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0")
        wanted = {"Job": "1", "Deployment": "2"} | dict.fromkeys(LAST, "3")
        assert wave == wanted.get(found["kind"], "0"), found["kind"]


def test_argo_cd_and_the_cloud_may_both_annotate_the_gateway(tmp_path):
    objects = manifests.kustomize(manifests.changed("gcp", tmp_path, {"gitops-argocd"}))
    gateway = planted.find(objects, "Gateway/web")["metadata"]["annotations"]
    assert gateway["networking.gke.io/certmap"] == "leadgen"
