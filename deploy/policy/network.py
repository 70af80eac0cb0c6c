"""Permitted connections, derived from network policies as a cluster enforces them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from deploy.policy.manifests import Object, Objects, of_kind, selects, workloads


@dataclass(frozen=True, slots=True)
class Place:
    """A pod of ours (labels), a pod elsewhere (namespace, labels), an address, or an entity."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)
    namespace: str = ""
    address: str = ""
    entity: str = ""

    @property
    def is_ours(self) -> bool:
        return not (self.namespace or self.address or self.entity)


def our_places(objects: Objects) -> list[Place]:
    """Return a place for each workload, named as it is; the migration without its release."""
    return [
        Place(
            re.sub("^migrate-.*", "migrate", workload.object["metadata"]["name"]), workload.labels
        )
        for workload in workloads(objects)
    ]


def allowed(objects: Objects, source: Place, target: Place, port: int) -> bool:
    """Tell whether egress at the source and ingress at the target permit a connection."""
    return _lets_out(objects, source, target, port) and _lets_in(objects, source, target, port)


def _lets_out(objects: Objects, source: Place, target: Place, port: int) -> bool:
    if not source.is_ours:
        return True
    return any(
        _covers(rule, "to", target, port)
        for policy in _policies(objects, source, "Egress")
        for rule in policy.get("egress") or []
    )


def _lets_in(objects: Objects, source: Place, target: Place, port: int) -> bool:
    if not target.is_ours:
        return True
    return _cilium_lets_in(objects, source, target, port) or any(
        _covers(rule, "from", source, port)
        for policy in _policies(objects, target, "Ingress")
        for rule in policy.get("ingress") or []
    )


def _policies(objects: Objects, place: Place, direction: str) -> Iterator[dict[str, Any]]:
    for policy in of_kind(objects, "NetworkPolicy"):
        spec = policy["spec"]
        if direction in spec["policyTypes"] and selects(spec["podSelector"], place.labels):
            yield spec


def _covers(rule: Object, side: str, peer: Place, port: int) -> bool:
    ports = [entry["port"] for entry in rule.get("ports", [])]
    peers = rule.get(side)
    return (not ports or port in ports) and (not peers or any(_is(p, peer) for p in peers))


def _is(peer: Object, place: Place) -> bool:
    if "ipBlock" in peer:
        return bool(place.address) and _within(peer["ipBlock"], place.address)
    if place.address or place.entity:
        return False
    namespace = peer.get("namespaceSelector")
    if namespace is None and place.namespace:
        return False
    if namespace is not None:
        here = {"kubernetes.io/metadata.name": place.namespace or "leadgen"}
        if not selects(namespace, here):
            return False
    return selects(peer.get("podSelector", {}), place.labels)


def _within(block: Object, address: str) -> bool:
    found = ip_address(address)
    return found in ip_network(block["cidr"]) and not any(
        found in ip_network(hole) for hole in block.get("except", [])
    )


def _cilium_lets_in(objects: Objects, source: Place, target: Place, port: int) -> bool:
    return any(
        source.entity in rule.get("fromEntities", [])
        and any(str(port) == entry["port"] for to in rule["toPorts"] for entry in to["ports"])
        for policy in of_kind(objects, "CiliumNetworkPolicy")
        if selects(policy["spec"]["endpointSelector"], target.labels)
        for rule in policy["spec"]["ingress"]
    )
