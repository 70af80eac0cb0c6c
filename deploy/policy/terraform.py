"""All rules for Terraform plans and states; each yields its violations."""

import ipaddress
from collections.abc import Iterator
from typing import Any

from deploy.policy.grants import Finding, least, pinned
from deploy.policy.plans import Resource
from deploy.policy.settings import SETTINGS

MANDATORY = ("owner", "environment", "cost-centre", "data-classification")
# What the provider has merged its defaults into.
MERGED = ("tags_all", "terraform_labels")
# Where tags stand elsewhere; a type that has neither cannot be tagged.
TAGS = {
    "google_artifact_registry_repository": "labels",
    "google_compute_global_address": "labels",
    "google_container_cluster": "resource_labels",
    "google_container_node_pool": "node_config.0.resource_labels",
    "google_kms_crypto_key": "labels",
    "google_monitoring_notification_channel": "user_labels",
    "google_secret_manager_secret": "labels",
    "google_sql_database_instance": "settings.0.user_labels",
    "google_storage_bucket": "labels",
    "digitalocean_database_cluster": "tags",
    "digitalocean_droplet": "tags",
    "digitalocean_kubernetes_cluster": "tags",
    "digitalocean_volume": "tags",
}
STATIC_KEYS = {"aws_iam_access_key", "google_service_account_key", "google_storage_hmac_key"}
# A bucket on AWS is made safe by resources of its own beside it.
BUCKET_COMPANIONS = {
    "aws_s3_bucket_public_access_block": "block public access",
    "aws_s3_bucket_server_side_encryption_configuration": "encrypt",
    "aws_s3_bucket_versioning": "keep versions",
    "aws_s3_bucket_policy": "refuse plain HTTP",
}
FLAGS = {
    "aws_db_parameter_group": ("parameter", {"rds.force_ssl": "1", "rds.logical_replication": "1"}),
    "google_sql_database_instance": (
        "settings.0.database_flags",
        {"cloudsql.logical_decoding": "on"},
    ),
}
# A block wider than this is as good as everyone.
NARROW = 8
SOURCES = {
    "aws_security_group": ("ingress",),
    "aws_default_security_group": ("ingress",),
    "aws_vpc_security_group_ingress_rule": ("cidr_ipv4", "cidr_ipv6"),
    "aws_security_group_rule": ("cidr_blocks", "ipv6_cidr_blocks"),
    "google_compute_firewall": ("source_ranges",),
    "aws_eks_cluster": ("vpc_config.0.public_access_cidrs",),
    "google_container_cluster": ("master_authorized_networks_config.0.cidr_blocks",),
    "digitalocean_kubernetes_cluster": ("control_plane_firewall.0.allowed_addresses",),
    "digitalocean_firewall": ("inbound_rule",),
    "digitalocean_database_firewall": ("rule",),
}
CLUSTERS = {"aws_eks_cluster", "google_container_cluster", "digitalocean_kubernetes_cluster"}


def findings(resources: list[Resource]) -> list[str]:
    """Return "rule type address: what to do" for all that breaks a rule, sorted."""
    found = [finding for rule in RULES for finding in rule(resources)]
    return sorted(f"{rule} {one.type} {one.address}: {fix}" for rule, one, fix in found)


def settings(resources: list[Resource]) -> Iterator[Finding]:
    """Check the single settings of deploy.policy.settings."""
    for one in resources:
        for setting in SETTINGS:
            if setting.type == one.type and not setting.good(one.get(setting.path)):
                yield setting.rule, one, f"{setting.fix} ({setting.path})"


def tagged(resources: list[Resource]) -> Iterator[Finding]:
    """Require the four mandatory tags on every resource whose type can be tagged."""
    for one in resources:
        merged = [name for name in MERGED if name in one.values]
        path = merged[0] if merged else TAGS.get(one.type)
        if path and (missing := _missing_tags(one.get(path))):
            yield "tagged", one, f"add {', '.join(missing)}"


def closed(resources: list[Resource]) -> Iterator[Finding]:
    """Let the whole internet reach port 443 at most, and no cluster's or database's interface."""
    for one in resources:
        doors = [door for path in SOURCES.get(one.type, ()) for door in _doors(one, path)]
        if one.type in CLUSTERS and not any(_texts(door) for door in doors):
            yield "closed", one, "name the addresses that may reach the cluster's API"
        if any(_is_open(door) for door in doors):
            yield "closed", one, "name the addresses that may come in; all of them only to 443"


def keyless(resources: list[Resource]) -> Iterator[Finding]:
    """Refuse long-lived keys where the cloud knows workload identity."""
    for one in resources:
        if one.type in STATIC_KEYS:
            yield "keyless", one, "use the workload's identity instead of a key"


def buckets(resources: list[Resource]) -> Iterator[Finding]:
    """Require every bucket's companions on AWS."""
    places = {(one.type, *one.place) for one in resources}
    for one in resources:
        for companion, fix in BUCKET_COMPANIONS.items():
            if one.type == "aws_s3_bucket" and (companion, *one.place) not in places:
                yield "buckets", one, f"{fix}: add {companion}"


def flags(resources: list[Resource]) -> Iterator[Finding]:
    """Require TLS and logical replication, which cannot be turned on later without a restart."""
    for one in resources:
        path, wanted = FLAGS.get(one.type, ("", {}))
        pairs = {flag["name"]: flag["value"] for flag in one.get(path) or []} if path else {}
        for name, value in wanted.items():
            if pairs.get(name) != value:
                yield "flags", one, f"set {name} to {value}"


def watched(resources: list[Resource]) -> Iterator[Finding]:
    """Require flow logs of every network on AWS, and for a budget where the cloud has one."""
    types = {one.type for one in resources}
    wanted = {
        "aws_vpc": ("aws_flow_log", "aws_budgets_budget"),
        "google_compute_network": ("google_billing_budget",),
    }
    for one in resources:
        for companion in wanted.get(one.type, ()):
            if companion not in types:
                yield "watched", one, f"add {companion}"


RULES = (settings, tagged, closed, keyless, buckets, flags, pinned, least, watched)


def _missing_tags(tags: Any) -> list[str]:
    if isinstance(tags, list):
        tags = dict(tag.split(":", 1) for tag in tags)
    pairs = tags if isinstance(tags, dict) else {}  # the cloud decides none of ours
    return [name for name in MANDATORY if not pairs.get(name)]


def _doors(one: Resource, path: str) -> list[Any]:
    """Return what has sources and ports of its own: a group's rules, or the whole resource."""
    value = one.get(path)
    if one.type.endswith("security_group") and isinstance(value, list):
        return value
    return [{"from": value, "from_port": one.get("from_port"), "to_port": one.get("to_port")}]


def _is_open(door: dict[str, Any]) -> bool:
    only_https = (door.get("from_port"), door.get("to_port")) == (443, 443)
    return not only_https and any(_is_wide(text) for text in _texts(door))


def _is_wide(text: str) -> bool:
    try:
        return "/" in text and ipaddress.ip_network(text, strict=False).prefixlen < NARROW
    except ValueError:
        return False


def _texts(value: Any) -> list[str]:
    """Return every text in it: addresses stand alone, in lists, or in blocks with other words."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
