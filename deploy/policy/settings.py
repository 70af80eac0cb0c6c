"""Required values of single settings of cloud resources, with the reasons."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploy.policy.plans import UNKNOWN


@dataclass(frozen=True, slots=True)
class Setting:
    """A path in resources of a type, the accepted values, and the fix."""

    rule: str
    type: str
    path: str
    good: Callable[[Any], bool]
    fix: str


def on(value: Any) -> bool:
    """Accept true, also as the text that some providers keep."""
    return value in (True, "true", "on")


def off(value: Any) -> bool:
    """Accept false or nothing."""
    return value in (False, "false", None)


def given(value: Any) -> bool:
    """Accept anything but nothing."""
    return value not in (None, "", [])


def is_(*wanted: object) -> Callable[[Any], bool]:
    """Accept one of these values."""
    return lambda value: value in wanted


def at_least(least: int) -> Callable[[Any], bool]:
    """Accept a number from this one on."""
    return lambda value: value is not None and value != UNKNOWN and value >= least


def holding(item: str) -> Callable[[Any], bool]:
    """Accept a list with this item."""
    return lambda value: item in (value or [])


_SQL = "google_sql_database_instance"
_NODES = "google_container_node_pool"
_GKE = "google_container_cluster"
_BACKUP = "settings.0.backup_configuration.0"

SETTINGS = (
    Setting("encrypted", "aws_db_instance", "storage_encrypted", on, "set storage_encrypted"),
    Setting("encrypted", "aws_eks_cluster", "encryption_config.0.provider", given, "give a key"),
    Setting("encrypted", "aws_secretsmanager_secret", "kms_key_id", given, "give a key"),
    Setting("encrypted", "aws_ecr_repository", "encryption_configuration", given, "give a key"),
    Setting("encrypted", "aws_cloudwatch_log_group", "kms_key_id", given, "give a key"),
    Setting(
        "encrypted",
        "aws_launch_template",
        "block_device_mappings.0.ebs.0.encrypted",
        on,
        "encrypt disks",
    ),
    Setting("encrypted", _SQL, "encryption_key_name", given, "give a key"),
    Setting("encrypted", _GKE, "database_encryption.0.state", is_("ENCRYPTED"), "encrypt secrets"),
    Setting(
        "encrypted",
        "google_storage_bucket",
        "encryption.0.default_kms_key_name",
        given,
        "give a key",
    ),
    Setting("keys_rotated", "aws_kms_key", "enable_key_rotation", on, "rotate the key"),
    Setting("keys_rotated", "google_kms_crypto_key", "rotation_period", given, "rotate the key"),
    Setting("private", "aws_db_instance", "publicly_accessible", off, "keep it private"),
    Setting("private", "aws_mq_broker", "publicly_accessible", off, "keep it private"),
    Setting("private", "aws_subnet", "map_public_ip_on_launch", off, "give no public addresses"),
    Setting(
        "private", _SQL, "settings.0.ip_configuration.0.ipv4_enabled", off, "no public address"
    ),
    Setting("private", _GKE, "private_cluster_config.0.enable_private_nodes", on, "private nodes"),
    Setting(
        "private",
        "google_storage_bucket",
        "public_access_prevention",
        is_("enforced"),
        "enforce public access prevention",
    ),
    Setting(
        "private",
        "google_storage_bucket",
        "uniform_bucket_level_access",
        on,
        "decide by IAM alone",
    ),
    Setting("private", "digitalocean_spaces_bucket", "acl", is_("private"), "set acl to private"),
    Setting(
        "private",
        "digitalocean_database_cluster",
        "private_network_uuid",
        given,
        "place it in the VPC",
    ),
    Setting(
        "tls_forced",
        _SQL,
        "settings.0.ip_configuration.0.ssl_mode",
        is_("ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"),
        "refuse plain connections",
    ),
    Setting("protected", "aws_db_instance", "deletion_protection", on, "protect from deletion"),
    Setting("protected", _SQL, "deletion_protection", on, "protect from deletion"),
    Setting(
        "protected", _SQL, "settings.0.deletion_protection_enabled", on, "protect it in the API"
    ),
    Setting("protected", _GKE, "deletion_protection", on, "protect from deletion"),
    Setting("protected", "google_storage_bucket", "force_destroy", off, "never empty by destroy"),
    Setting("protected", "aws_s3_bucket", "force_destroy", off, "never empty by destroy"),
    Setting(
        "protected", "digitalocean_spaces_bucket", "force_destroy", off, "never empty by destroy"
    ),
    Setting(
        "backed_up", "aws_db_instance", "backup_retention_period", at_least(7), "7 days or more"
    ),
    Setting("backed_up", "aws_db_instance", "skip_final_snapshot", off, "keep a last snapshot"),
    Setting("backed_up", _SQL, f"{_BACKUP}.enabled", on, "back up"),
    Setting("backed_up", _SQL, f"{_BACKUP}.point_in_time_recovery_enabled", on, "recover by time"),
    Setting(
        "backed_up",
        _SQL,
        f"{_BACKUP}.backup_retention_settings.0.retained_backups",
        at_least(7),
        "7 days or more",
    ),
    Setting("backed_up", "google_storage_bucket", "versioning.0.enabled", on, "keep versions"),
    Setting("backed_up", "digitalocean_spaces_bucket", "versioning.0.enabled", on, "keep versions"),
    Setting(
        "audited", "aws_eks_cluster", "enabled_cluster_log_types", holding("audit"), "log audit"
    ),
    Setting("audited", "google_compute_subnetwork", "log_config", given, "log flows"),
    Setting(
        "audited", _GKE, "logging_config.0.enable_components", holding("APISERVER"), "log the API"
    ),
    Setting(
        "nodes_hardened",
        "aws_launch_template",
        "metadata_options.0.http_tokens",
        is_("required"),
        "require IMDSv2",
    ),
    Setting(
        "nodes_hardened",
        "aws_launch_template",
        "metadata_options.0.http_put_response_hop_limit",
        is_(1),
        "keep pods from the node's role",
    ),
    Setting(
        "nodes_hardened",
        _NODES,
        "node_config.0.workload_metadata_config.0.mode",
        is_("GKE_METADATA"),
        "keep pods from the node's account",
    ),
    Setting(
        "nodes_hardened",
        _NODES,
        "node_config.0.shielded_instance_config.0.enable_secure_boot",
        on,
        "boot securely",
    ),
    Setting(
        "policies_enforced", _GKE, "datapath_provider", is_("ADVANCED_DATAPATH"), "use Dataplane V2"
    ),
    Setting(
        "policies_enforced",
        "digitalocean_kubernetes_cluster",
        "cluster_subnet",
        given,
        "make it VPC-native",
    ),
    Setting(
        "tags_fixed", "aws_ecr_repository", "image_tag_mutability", is_("IMMUTABLE"), "fix tags"
    ),
    Setting(
        "tags_fixed",
        "google_artifact_registry_repository",
        "docker_config.0.immutable_tags",
        on,
        "fix tags",
    ),
)
