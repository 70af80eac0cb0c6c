import ipaddress
from itertools import product

import pytest
import yaml

from deploy.policy.network import Place, allowed, our_places
from tests.deploy import manifests, planted
from tests.deploy.manifests import OVERLAYS, ROOT

TABLE = yaml.safe_load((ROOT / "deploy/policy/flows.yaml").read_text())
CALLERS = [Place(name, **told) for name, told in TABLE["callers"].items()]
PORTS = {port for flow in TABLE["flows"] for port in flow["ports"]} | {22, 465, 6443, 8089}


def others(overlay):
    block = manifests.told(overlay)["network_cidr"] if overlay != "local" else "10.20.0.0/16"
    own = str(ipaddress.ip_network(block)[772])
    for name, told in TABLE["places"].items():
        yield Place(name, **told | ({"address": own} if name == "own-network" else {}))


NODE_DNS_POD = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "node-local-dns"}},
}


def expected(overlay, ours):
    return {
        (source, flow["to"], port)
        for flow in TABLE["flows"]
        if overlay in flow.get("in", OVERLAYS)
        for source in (ours if flow["from"] == "everybody" else [flow["from"]])
        for port in flow["ports"]
    }


def allowed_flows(objects, overlay="aws"):
    places = [*our_places(objects), *others(overlay)]
    return {
        (source.name, target.name, port)
        for source, target, port in product([*places, *CALLERS], places, PORTS)
        if (source.is_ours or target.is_ours) and allowed(objects, source, target, port)
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_exactly_the_expected_connections_are_allowed(overlay):
    objects = manifests.rendered(overlay)
    places = [*our_places(objects), *others(overlay)]
    ours = {place.name for place in places if place.is_ours}
    assert allowed_flows(objects, overlay) == expected(overlay, ours)


@pytest.mark.parametrize(
    ("fault", "flow"),
    [
        (planted.remove("NetworkPolicy/to-dns"), ("web", "dns", 53)),
        (planted.remove("NetworkPolicy/from-keda"), ("keda", "web", 8000)),
        (planted.remove("NetworkPolicy/from-gateway-to-solver"), ("envoy", "solver", 8089)),
        (
            planted.drop(planted.WEB, "spec|template|metadata|labels|reaches-database"),
            ("web", "own-network", 5432),
        ),
    ],
)
def test_removing_a_policy_removes_its_connections(fault, flow):
    objects = planted.objects()
    assert flow in allowed_flows(objects)
    fault(objects)
    assert flow not in allowed_flows(objects)


@pytest.mark.parametrize(
    ("fault", "flow"),
    [
        (
            planted.put(
                "NetworkPolicy/from-keda", "spec|ingress|0|from|0", {"namespaceSelector": {}}
            ),
            ("stranger", "web", 8000),
        ),
        (planted.drop("NetworkPolicy/from-keda", "spec|ingress|0|from"), ("internet", "web", 8000)),
        (
            planted.put(
                "NetworkPolicy/to-world", "spec|egress|0|to|0", {"ipBlock": {"cidr": "0.0.0.0/0"}}
            ),
            ("delivery", "other-network", 443),
        ),
    ],
)
def test_too_wide_network_policy_is_detected(fault, flow):
    objects = planted.objects()
    assert flow not in allowed_flows(objects)
    fault(objects)
    assert flow in allowed_flows(objects)


def test_gke_pods_reach_the_dns_cache_pod_by_udp_and_tcp():
    policies = [
        policy["spec"]
        for policy in manifests.rendered("gcp")
        if policy["kind"] == "NetworkPolicy" and policy["metadata"]["name"] == "to-node-dns"
    ]
    (rule,) = policies[0]["egress"]
    assert policies[0]["podSelector"] == {}
    assert NODE_DNS_POD in rule["to"]
    assert rule["ports"] == [{"port": 53, "protocol": name} for name in ("UDP", "TCP")]


def test_dns_cache_pod_is_unreachable_without_its_peer():
    objects = manifests.rendered("gcp")
    flow = ("migrate", "node-dns-pod", 53)
    assert flow in allowed_flows(objects, "gcp")
    planted.drop("NetworkPolicy/to-node-dns", "spec|egress|0|to|0")(objects)
    assert flow not in allowed_flows(objects, "gcp")
