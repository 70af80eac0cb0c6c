import pytest

from tests.deploy import manifests, planted
from tests.deploy.planted import POD, WEB, drop, put

FAULTS = [
    put("PodDisruptionBudget/web", "spec|maxUnavailabel", 1),
    put("NetworkPolicy/default-deny", "spec|podSelecter", {}),
    put("Job/migrate-*", "spec|ttlSecondsAfterFinish", 1),
    put(WEB, "spec|replicas", "two"),
    drop(WEB, f"{POD}|containers"),
    put(WEB, "apiVersion", "apps/v1beta1"),
    put("HorizontalPodAutoscaler/web", "apiVersion", "autoscaling/v2beta2"),
    put("HTTPRoute/web", "spec|rules|0|backendRef", []),
    put("Gateway/web", "spec|listeners|0|protocols", "HTTP"),
    put("ScaledObject/worker", "spec|minReplicaCount", "1"),
    put("TriggerAuthentication/metrics", "spec|secretTargetRefs", []),
    put("ExternalSecret/leadgen", "apiVersion", "external-secrets.io/v1beta1"),
    put("SecretStore/leadgen", "spec|provider|aws|service", "SecretManager"),
    put("Certificate/web", "spec|dnsName", "a.example.com"),
    put("Issuer/acme", "spec|acme|solver", []),
    put("ServiceMonitor/web", "spec|endpoint", []),
    put("PodMonitor/roles", "spec|podMetricsEndpoints|0|ports", "metrics"),
    put("PrometheusRule/leadgen", "spec|groups|0|rules|0|expression", "up"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=range(len(FAULTS)))
def test_a_planted_fault_of_form_is_found(fault):
    objects = planted.objects()
    fault(objects)
    assert len(manifests.faults(objects)) >= 1


def test_a_kind_without_a_schema_is_a_fault():
    unknown = {"apiVersion": "example.com/v1", "kind": "Unknown", "metadata": {"name": "x"}}
    assert "no schema of example.com/v1 Unknown" in manifests.faults([unknown])[0]
