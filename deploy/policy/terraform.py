"""Every rule that a Terraform plan or state must keep; each yields what breaks it."""

import json
import re
from collections.abc import Iterator
from typing import Any

from deploy.policy.plans import UNKNOWN, Resource
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
SOURCES = {
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
Finding = tuple[str, Resource, str]


def findings(resources: list[Resource]) -> list[str]:
    """Return "rule type address: what to do" for all that breaks a rule, sorted."""
    found = [finding for rule in RULES for finding in rule(resources)]
    return sorted(f"{rule} {one.type} {one.address}: {fix}" for rule, one, fix in found)


def settings(resources: list[Resource]) -> Iterator[Finding]:
    """Hold the single settings of deploy.policy.settings."""
    for one in resources:
        for setting in SETTINGS:
            if setting.type == one.type and not setting.good(one.get(setting.path)):
                yield setting.rule, one, f"{setting.fix} ({setting.path})"


def tagged(resources: list[Resource]) -> Iterator[Finding]:
    """Ask for the four mandatory tags on every resource whose type can be tagged."""
    for one in resources:
        merged = [name for name in MERGED if name in one.values]
        path = merged[0] if merged else TAGS.get(one.type)
        if path and (missing := _missing_tags(one.get(path))):
            yield "tagged", one, f"add {', '.join(missing)}"


def closed(resources: list[Resource]) -> Iterator[Finding]:
    """Let the whole internet reach port 443 at most, and no cluster's or database's interface."""
    for one in resources:
        blocks = [block for path in SOURCES.get(one.type, ()) for block in _blocks(one.get(path))]
        if one.type in CLUSTERS and not blocks:
            yield "closed", one, "name the addresses that may reach the cluster's API"
        if any(block.endswith("/0") for block in blocks) and not _only_https(one):
            yield "closed", one, "name the addresses that may come in; all of them only to 443"


def keyless(resources: list[Resource]) -> Iterator[Finding]:
    """Refuse long-lived keys where the cloud knows workload identity."""
    for one in resources:
        if one.type in STATIC_KEYS:
            yield "keyless", one, "use the workload's identity instead of a key"


def buckets(resources: list[Resource]) -> Iterator[Finding]:
    """Ask for every bucket's companions on AWS."""
    places = {(one.type, *one.place) for one in resources}
    for one in resources:
        for companion, fix in BUCKET_COMPANIONS.items():
            if one.type == "aws_s3_bucket" and (companion, *one.place) not in places:
                yield "buckets", one, f"{fix}: add {companion}"


def flags(resources: list[Resource]) -> Iterator[Finding]:
    """Ask for TLS and logical replication, which cannot be turned on later without a restart."""
    for one in resources:
        path, wanted = FLAGS.get(one.type, ("", {}))
        pairs = {flag["name"]: flag["value"] for flag in one.get(path) or []} if path else {}
        for name, value in wanted.items():
            if pairs.get(name) != value:
                yield "flags", one, f"set {name} to {value}"


def pinned(resources: list[Resource]) -> Iterator[Finding]:
    """Trust an outside identity only by its exact subject and audience."""
    for one in resources:
        if one.type == "google_iam_workload_identity_pool_provider":
            condition = str(one.get("attribute_condition") or "")
            if not re.search(r'assertion\.sub == "[^"*]+"', condition):
                yield "pinned", one, "set attribute_condition to the exact subject"
        for statement in _statements(one.get("assume_role_policy")):
            if "Federated" in statement.get("Principal", {}) and not _is_pinned(statement):
                yield "pinned", one, "trust sub and aud by StringEquals, without wildcards"


def least(resources: list[Resource]) -> Iterator[Finding]:
    """Refuse all actions, and anyone on the internet, in policies that allow."""
    for one in resources:
        if "allUsers" in str(one.get("member")) or "allAuthenticatedUsers" in str(
            one.get("member")
        ):
            yield "least", one, "grant to a named identity"
        for statement in _statements(one.get("policy")) if one.type != "aws_kms_key" else ():
            if statement["Effect"] == "Allow" and any(
                a.endswith("*") for a in _list(statement["Action"])
            ):
                yield "least", one, "name the actions"


def watched(resources: list[Resource]) -> Iterator[Finding]:
    """Ask for flow logs of every network on AWS, and for a budget where the cloud has one."""
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


def _blocks(value: Any) -> list[str]:
    """Return every text in it: addresses stand alone, in lists, or in blocks with other words."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in _blocks(item)]
    if isinstance(value, list):
        return [text for item in value for text in _blocks(item)]
    return [str(value)] if value is not None else []


def _only_https(one: Resource) -> bool:
    return (one.get("from_port"), one.get("to_port")) == (443, 443)


def _statements(policy: Any) -> list[dict[str, Any]]:
    if not policy or policy == UNKNOWN or not isinstance(policy, str):
        return []
    found: list[dict[str, Any]] = _list(json.loads(policy).get("Statement", []))
    return found


def _is_pinned(statement: dict[str, Any]) -> bool:
    exact = statement.get("Condition", {}).get("StringEquals", {})
    held = {name.rpartition(":")[2] for name, value in exact.items() if "*" not in str(value)}
    return {"sub", "aud"} <= held


def _list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]
