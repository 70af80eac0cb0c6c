import re
import subprocess

import pytest
import yaml

from tests.deploy import manifests
from tests.deploy.steps import Runner

# Whose custom resources an overlay holds, by API group; the clouds' own are not installed.
CHARTS = {
    "cert-manager.io": "cert-manager",
    "external-secrets.io": "external-secrets",
    "keda.sh": "keda",
    "monitoring.coreos.com": "monitoring",
}
# Who calls the application or is called, by namespace.
PEERS = {"envoy-gateway-system": "envoy-gateway", "keda": "keda", "monitoring": "monitoring"}


@pytest.fixture
def runner(tmp_path):
    made = Runner(tmp_path)
    made.program("helm")
    made.program("kubectl", "cat >/dev/null")
    return made


def installed(runner, cloud):
    script = runner.checkout / "deploy/scripts/cluster/add-ons.sh"
    path = f"{runner.programs}:/usr/bin:/bin"
    environment = {"PATH": path, "CALLS": str(runner.programs.parent / "calls")}
    subprocess.run([script, cloud], env=environment, check=True, capture_output=True)
    calls = [call for call in runner.calls if call.startswith("helm")]
    assert all(re.search(r"--version v?\d+\.\d+\.\d+ ", call) for call in calls)
    return {call.split()[3]: call for call in calls}


@pytest.mark.parametrize("cloud", manifests.OVERLAYS)
def test_cluster_gets_exactly_the_add_ons_of_the_overlay(runner, cloud):
    objects = manifests.rendered(cloud)
    groups = {one["apiVersion"].rpartition("/")[0] for one in objects}
    namespaces = set(re.findall(r"kubernetes\.io/metadata\.name': '([\w-]+)'", str(objects)))
    needed = {CHARTS[group] for group in groups & CHARTS.keys()}
    needed |= {PEERS[name] for name in namespaces & PEERS.keys()}
    assert set(installed(runner, cloud)) - {"cluster-autoscaler", "metrics-server"} == needed


def test_add_ons_are_where_policies_and_identities_expect_them(runner):
    calls = installed(runner, "aws")
    for namespace, name in PEERS.items():
        assert f"--namespace {namespace} " in calls[name]
    assert "--namespace external-secrets " in calls["external-secrets"]
    assert "autoDiscovery.clusterName=leadgen" in calls["cluster-autoscaler"]


@pytest.mark.parametrize("cloud", manifests.CLOUDS)
def test_prometheus_selects_every_kind_in_the_overlay(runner, cloud):
    kinds = {
        "ServiceMonitor": "serviceMonitor",
        "PodMonitor": "podMonitor",
        "PrometheusRule": "rule",
    }
    given = kinds.keys() & {one["kind"] for one in manifests.rendered(cloud)}
    calls = installed(runner, cloud)
    for kind in given:
        option = f"{kinds[kind]}SelectorNilUsesHelmValues=false"
        assert f"prometheus.prometheusSpec.{option}" in calls["monitoring"]
    # Who makes certificates says when they run out.
    if "cert-manager" in calls:
        assert "prometheus.servicemonitor.enabled=true" in calls["cert-manager"]


@pytest.mark.parametrize("cloud", ["aws", "local"])
def test_a_visitors_address_reaches_the_gateway(runner, tmp_path, cloud):
    runner.program("kubectl", f"cat >{tmp_path}/applied")
    installed(runner, cloud)
    proxy, kind = yaml.safe_load_all((tmp_path / "applied").read_text())
    provider = proxy["spec"]["provider"]["kubernetes"]
    assert provider["envoyService"]["externalTrafficPolicy"] == "Local"
    assert "nlb" in provider["envoyService"]["annotations"].values()
    told = kind["spec"]["parametersRef"]
    assert (told["kind"], told["name"]) == (proxy["kind"], proxy["metadata"]["name"])
    assert kind["metadata"]["name"] == "envoy"
