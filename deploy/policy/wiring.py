"""Rules of consistency: labels, references, ports, secrets, the namespace."""

import re
from collections.abc import Iterator

from deploy.policy.manifests import (
    MANDATORY_LABELS,
    Object,
    Objects,
    Workload,
    name_of,
    names_of,
    of_kind,
    selects,
    workloads,
)

_NAME = re.compile(r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")
_CLUSTER_WIDE = {
    "Namespace",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ImageValidatingPolicy",
}
_UNITS = {"": 1.0, "m": 0.001, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30}


def everything_is_labelled(objects: Objects) -> Iterator[str]:
    """Objects and the pods they make; costs and duties are found by these."""
    for found in objects:
        yield from _unlabelled(name_of(found), found)
    for workload in workloads(objects):
        yield from _unlabelled(f"{workload.name}'s pods", workload.template)


def _unlabelled(name: str, found: Object) -> Iterator[str]:
    labels = found.get("metadata", {}).get("labels", {})
    if missing := [label for label in MANDATORY_LABELS if not labels.get(label)]:
        yield f"{name}: without {', '.join(missing)}"


def claims_bear_no_tags(objects: Objects) -> Iterator[str]:
    """A claim's template cannot be changed, so a tag in it could never be."""
    for workload in workloads(objects, "StatefulSet"):
        for claim in workload.object["spec"].get("volumeClaimTemplates", []):
            if set(claim["metadata"].get("labels", {})) & set(MANDATORY_LABELS):
                yield f"{workload.name}: its claims {claim['metadata']['name']} must bear no tags"


def names_are_valid(objects: Objects) -> Iterator[str]:
    """As DNS wants them, and within one namespace."""
    spaces = {found["metadata"].get("namespace") for found in objects if _is_namespaced(found)}
    if len(spaces) > 1 or None in spaces:
        yield f"more than one namespace, or none: {sorted(map(str, spaces))}"
    for found in objects:
        if not _NAME.match(found["metadata"]["name"]):
            yield f"{name_of(found)}: not a valid name"


def _is_namespaced(found: Object) -> bool:
    return found["kind"] not in _CLUSTER_WIDE


def the_namespace_is_restricted(objects: Objects) -> Iterator[str]:
    """Enforced, audited and warned of, with a quota and limits."""
    for found in of_kind(objects, "Namespace"):
        labels = found["metadata"].get("labels", {})
        for mode in ("enforce", "audit", "warn"):
            if labels.get(f"pod-security.kubernetes.io/{mode}") != "restricted":
                yield f"{name_of(found)}: pod security {mode} must be restricted"
    for kind in ("Namespace", "ResourceQuota", "LimitRange"):
        if not names_of(objects, kind):
            yield f"there is no {kind}"


def traffic_is_denied_by_default(objects: Objects) -> Iterator[str]:
    """One policy over every pod and both directions that allows nothing."""
    for found in of_kind(objects, "NetworkPolicy"):
        spec = found["spec"]
        both = set(spec.get("policyTypes", [])) == {"Ingress", "Egress"}
        if (
            spec["podSelector"] == {}
            and both
            and not spec.get("ingress")
            and not spec.get("egress")
        ):
            return
    yield "no NetworkPolicy denies everything by default"


def selectors_find_their_pods(objects: Objects) -> Iterator[str]:
    """Of workloads their own template; of services, budgets and policies at least one pod."""
    pods = list(workloads(objects))
    for workload in workloads(objects, "Deployment", "StatefulSet"):
        if not selects(workload.object["spec"]["selector"], workload.labels):
            yield f"{workload.name}: its selector misses its own pods"
    for found in of_kind(objects, "Service", "PodDisruptionBudget"):
        wanted = found["spec"].get("selector")
        selector = {"matchLabels": wanted} if found["kind"] == "Service" else wanted
        if not wanted or not any(selects(selector, workload.labels) for workload in pods):
            yield f"{name_of(found)}: selects no pod"


def references_are_kept(objects: Objects) -> Iterator[str]:
    """ConfigMaps, services behind routes, gateways above them, stores of secrets."""
    for workload in workloads(objects):
        yield from _configuration(workload, names_of(objects, "ConfigMap"))
    for route in of_kind(objects, "HTTPRoute"):
        yield from _route(route, objects)
    for secret in of_kind(objects, "ExternalSecret"):
        if secret["spec"]["secretStoreRef"]["name"] not in names_of(objects, "SecretStore"):
            yield f"{name_of(secret)}: its store is not among the manifests"


def _configuration(workload: Workload, known: set[str]) -> Iterator[str]:
    wanted = {
        source["configMapRef"]["name"]
        for container in workload.all_containers
        for source in container.get("envFrom", [])
        if "configMapRef" in source
    } | {
        volume["configMap"]["name"]
        for volume in workload.spec.get("volumes", [])
        if "configMap" in volume and not volume["configMap"].get("optional")
    }
    yield from (f"{workload.name}: ConfigMap {name} is missing" for name in sorted(wanted - known))


def _route(route: Object, objects: Objects) -> Iterator[str]:
    listeners = {
        (gateway["metadata"]["name"], listener["name"])
        for gateway in of_kind(objects, "Gateway")
        for listener in gateway["spec"]["listeners"]
    }
    for parent in route["spec"]["parentRefs"]:
        if (parent["name"], parent.get("sectionName")) not in listeners:
            yield f"{name_of(route)}: no such listener {parent}"
    ports = {
        (service["metadata"]["name"], port["port"])
        for service in of_kind(objects, "Service")
        for port in service["spec"]["ports"]
    }
    for rule in route["spec"]["rules"]:
        for backend in rule.get("backendRefs", []):
            if (backend["name"], backend["port"]) not in ports:
                yield f"{name_of(route)}: no such backend {backend}"


def visitors_come_by_https(objects: Objects) -> Iterator[str]:
    """Where there is a listener for HTTPS, plain HTTP only sends people there."""
    for gateway in of_kind(objects, "Gateway"):
        listeners = {entry["protocol"]: entry["name"] for entry in gateway["spec"]["listeners"]}
        if "HTTPS" not in listeners:
            continue
        for route in of_kind(objects, "HTTPRoute"):
            sections = {parent.get("sectionName") for parent in route["spec"]["parentRefs"]}
            serves = any(rule.get("backendRefs") for rule in route["spec"]["rules"])
            if serves and sections != {listeners["HTTPS"]}:
                yield f"{name_of(route)}: serves without TLS"


def secrets_come_from_a_store(objects: Objects) -> Iterator[str]:
    """None stands in the manifests, and a store that fails takes none away."""
    for found in of_kind(objects, "Secret"):
        yield f"{name_of(found)}: no Secret stands in the manifests"
    for found in of_kind(objects, "ExternalSecret"):
        if found["spec"]["target"].get("deletionPolicy") != "Retain":
            yield f"{name_of(found)}: set deletionPolicy Retain"


def the_quota_holds_what_may_run(objects: Objects) -> Iterator[str]:
    """All replicas that the scalers may ask for, and one more of each for a rollout."""
    most = {
        scaler["spec"]["scaleTargetRef"]["name"]: scaler["spec"].get(
            "maxReplicas", scaler["spec"].get("maxReplicaCount")
        )
        for scaler in of_kind(objects, "HorizontalPodAutoscaler", "ScaledObject")
    }
    for quota in of_kind(objects, "ResourceQuota"):
        for resource in ("cpu", "memory"):
            needed = sum(_needs(workload, resource, most) for workload in workloads(objects))
            if needed > _amount(quota["spec"]["hard"][f"requests.{resource}"]):
                yield f"{name_of(quota)}: {resource} is below {needed:g}, which may be asked for"


def _needs(workload: Workload, resource: str, most: dict[str, int]) -> float:
    replicas = most.get(workload.object["metadata"]["name"])
    count = (replicas or workload.object["spec"].get("replicas", 1)) + 1
    containers = workload.spec["containers"]
    return count * sum(
        _amount(container.get("resources", {}).get("requests", {}).get(resource, "0"))
        for container in containers
    )


def _amount(text: str) -> float:
    number = text.rstrip("KMGim")
    return float(number) * _UNITS[text[len(number) :]]


RULES = [
    everything_is_labelled,
    claims_bear_no_tags,
    names_are_valid,
    the_namespace_is_restricted,
    traffic_is_denied_by_default,
    selectors_find_their_pods,
    references_are_kept,
    visitors_come_by_https,
    secrets_come_from_a_store,
    the_quota_holds_what_may_run,
]
