import re
import subprocess

import pytest

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
def test_a_cluster_gets_what_the_overlay_needs_and_no_more(runner, cloud):
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
