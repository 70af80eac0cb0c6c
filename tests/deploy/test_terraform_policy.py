import json

import pytest

from deploy.policy import plans, terraform
from deploy.policy.plans import UNKNOWN, Resource
from deploy.policy.settings import SETTINGS
from tests.deploy.terraform import broken, resource, resource_types

TAGS = {
    "owner": "platform",
    "environment": "production",
    "cost-centre": "cc-1234",
    "data-classification": "confidential",
}
PLAIN = [{"name": "rds.force_ssl", "value": "0"}, {"name": "rds.logical_replication", "value": "1"}]
CANDIDATES: tuple[object, ...] = (None, True, False, 1, "no", [])
AWS = "arn:aws:iam::aws:policy"
ANYONE = {"cidr_ipv4": "0.0.0.0/0"}


def nested(path, value):
    head, _, rest = path.partition(".")
    inner = nested(rest, value) if rest else value
    return [inner] if head.isdecimal() else {head: inner}


def trust(**condition):
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/example.com"},
        "Condition": condition,
    }
    return json.dumps({"Statement": [statement]})


def allowing(action):
    return json.dumps({"Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}})


def allowing_but(action):
    return json.dumps({"Statement": {"Effect": "Allow", "NotAction": action, "Resource": "*"}})


def open_to(principal):
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Principal": principal}
    return json.dumps({"Statement": [statement]})


def bucket(*companions):
    kinds = ["aws_s3_bucket", *companions]
    return [Resource(f'module.storage.{kind}.this["data"]', kind, {}) for kind in kinds]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda one: f"{one.type}.{one.path}")
def test_a_planted_bad_setting_is_caught(setting):
    bad = next(value for value in CANDIDATES if not setting.good(value))
    planted = resource(setting.type, **nested(setting.path, bad))
    found = [one for one in terraform.findings([planted]) if f"({setting.path})" in one]
    assert found == [
        f"{setting.rule} {setting.type} {planted.address}: {setting.fix} ({setting.path})"
    ]


@pytest.mark.parametrize(("days", "kept"), [(0, False), (6, False), (7, True), (35, True)])
def test_seven_days_of_backups_are_the_least(days, kept):
    planted = resource("aws_db_instance", backup_retention_period=days)
    assert kept is not any("backup_retention" in one for one in terraform.findings([planted]))


@pytest.mark.parametrize(
    ("rule", "planted"),
    {
        "tagged": resource("aws_vpc", tags_all={**TAGS, "owner": ""}),
        "keyless": resource("aws_iam_access_key"),
        "buckets": resource("aws_s3_bucket"),
        "flags": resource("aws_db_parameter_group", parameter=PLAIN),
        "pinned": resource("aws_iam_role", assume_role_policy=trust()),
        "least": resource("aws_iam_role_policy", policy=allowing("s3:*")),
        "watched": resource("aws_vpc"),
        "closed": resource(
            "aws_vpc_security_group_ingress_rule", **ANYONE, from_port=22, to_port=22
        ),
    }.items(),
)
def test_a_planted_fault_is_caught_by_its_rule(rule, planted):
    assert rule in broken(planted)


def test_every_rule_has_a_planted_fault():
    planted = test_a_planted_fault_is_caught_by_its_rule.pytestmark[0].args[1]
    assert {rule.__name__ for rule in terraform.RULES} == {rule for rule, _ in planted} | {
        "settings"
    }


@pytest.mark.parametrize("missing", TAGS)
def test_every_cloud_requires_the_mandatory_tags(missing):
    left = {name: value for name, value in TAGS.items() if name != missing}
    listed = [f"{name}:{value}" for name, value in left.items()]
    assert "tagged" in broken(resource("aws_eip", tags_all=left))
    assert "tagged" in broken(resource("google_kms_crypto_key", terraform_labels=left))
    assert "tagged" in broken(resource("digitalocean_volume", tags=listed))


def test_unknown_tag_values_count_as_missing():
    one = Resource("a", "google_sql_database_instance", {}, {"settings": [{"user_labels": True}]})
    assert "tagged" in broken(one)


def test_untaggable_resource_needs_no_tags():
    assert "tagged" not in broken(resource("digitalocean_vpc"), resource("aws_route"))


def test_public_ingress_is_allowed_for_https_only():
    rule = "aws_vpc_security_group_ingress_rule"
    assert not broken(resource(rule, **ANYONE, from_port=443, to_port=443))
    assert "closed" in broken(resource(rule, **ANYONE, from_port=443, to_port=65535))
    assert "closed" in broken(resource("google_compute_firewall", source_ranges=["::/0"]))


def test_inline_security_group_rules_are_checked_each():
    web = {"cidr_blocks": ["0.0.0.0/0"], "from_port": 443, "to_port": 443}
    shell = {"cidr_blocks": ["10.0.0.0/8"], "from_port": 22, "to_port": 22}
    everyone = {**shell, "ipv6_cidr_blocks": ["::/0"], "description": "shell"}
    assert "closed" not in broken(resource("aws_security_group", ingress=[web, shell]))
    assert "closed" in broken(resource("aws_security_group", ingress=[web, everyone]))


def test_cluster_endpoint_requires_allowed_addresses():
    named = {"control_plane_firewall": [{"allowed_addresses": ["203.0.113.0/24"]}]}
    everyone = {"control_plane_firewall": [{"allowed_addresses": ["0.0.0.0/0"]}]}
    assert "closed" not in broken(resource("digitalocean_kubernetes_cluster", **named))
    assert "closed" in broken(resource("digitalocean_kubernetes_cluster", **everyone))
    assert "closed" in broken(resource("aws_eks_cluster"))


@pytest.mark.parametrize("block", ["0.0.0.0/1", "128.0.0.0/1", "2000::/3"])
def test_half_of_the_internet_counts_as_public(block):
    vpc = [{"public_access_cidrs": ["203.0.113.0/24", block]}]
    assert "closed" in broken(resource("aws_eks_cluster", vpc_config=vpc))


@pytest.mark.parametrize("missing", terraform.BUCKET_COMPANIONS)
def test_a_bucket_needs_each_companion_under_its_own_key(missing):
    others = [kind for kind in terraform.BUCKET_COMPANIONS if kind != missing]
    elsewhere = Resource(f'module.storage.{missing}.this["backup"]', missing, {})
    assert not broken(*bucket(*terraform.BUCKET_COMPANIONS))
    assert "buckets" in broken(*bucket(*others), elsewhere)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"example.com:sub": "repo:example/leadgen:environment:production"}},
        {"StringEquals": {"example.com:sub": "repo:example/*", "example.com:aud": "aws"}},
        {"StringLike": {"example.com:sub": "repo:example/leadgen", "example.com:aud": "aws"}},
    ],
)
def test_a_loose_trust_is_caught(condition):
    assert "pinned" in broken(resource("aws_iam_role", assume_role_policy=trust(**condition)))


def test_an_exact_trust_passes():
    exact = {
        "example.com:sub": "repo:example/leadgen:environment:production",
        "example.com:aud": "a",
    }
    policy = trust(StringEquals=exact)
    assert "pinned" not in broken(resource("aws_iam_role", assume_role_policy=policy))


def test_a_google_federation_names_its_subject():
    kind = "google_iam_workload_identity_pool_provider"
    loose = 'assertion.repository_owner == "example"'
    exact = 'assertion.sub == "repo:example/leadgen:environment:production"'
    assert "pinned" in broken(resource(kind, attribute_condition=loose))
    assert "pinned" not in broken(resource(kind, attribute_condition=exact))


def test_grant_to_all_users_is_rejected():
    assert "least" in broken(resource("google_storage_bucket_iam_member", member="allUsers"))
    assert "least" in broken(resource("google_storage_bucket_iam_binding", members=["allUsers"]))


@pytest.mark.parametrize(
    "planted",
    [
        resource("aws_s3_bucket_policy", policy=open_to("*")),
        resource("aws_s3_bucket_policy", policy=open_to({"AWS": ["*"]})),
        resource("aws_kms_key", policy=open_to("*")),
        resource("aws_iam_role", assume_role_policy=open_to({"AWS": "*"})),
        resource("aws_iam_role_policy_attachment", policy_arn=f"{AWS}/AdministratorAccess"),
        resource("aws_iam_role_policy_attachment", policy_arn=f"{AWS}/AmazonS3FullAccess"),
        resource("aws_iam_role", managed_policy_arns=[f"{AWS}/job-function/PowerUserAccess"]),
        resource("aws_iam_role_policy", policy=allowing("s3:*Object")),
        resource("aws_iam_role_policy", policy=allowing_but("s3:DeleteBucket")),
        resource("google_project_iam_member", role="roles/owner"),
        resource("google_project_iam_member", role="roles/editor"),
    ],
    ids=lambda one: f"{one.type}-{sorted(one.values.values(), key=str)}",
)
def test_a_gross_grant_is_caught(planted):
    assert "least" in broken(planted)


@pytest.mark.parametrize(
    "kept",
    [
        resource("aws_vpc_endpoint", policy=open_to("*")),
        resource("aws_iam_role", assume_role_policy=open_to({"Service": "ec2.amazonaws.com"})),
        resource("aws_iam_role_policy_attachment", policy_arn=f"{AWS}/AmazonEKSClusterPolicy"),
        resource("aws_iam_role_policy", role="leadgen-web", policy=allowing("s3:GetObject")),
        resource("google_project_iam_member", role="roles/container.clusterViewer"),
    ],
    ids=lambda one: one.type,
)
def test_minimal_grant_passes(kept):
    assert "least" not in broken(kept)


def test_value_known_after_apply_counts_as_set():
    one = Resource("a", "aws_cloudwatch_log_group", {}, {"kms_key_id": True})
    assert one.get("kms_key_id") == UNKNOWN
    assert not broken(one)


def test_plans_and_states_yield_the_same_resources():
    one = {"address": "a.b", "type": "a", "mode": "managed"}
    plan = {"resource_changes": [{**one, "change": {"after": {"x": 1}, "after_unknown": {}}}]}
    child = {"resources": [{**one, "values": {"x": 1}}]}
    state = {"values": {"root_module": {"child_modules": [child]}}}
    assert plans.load(json.dumps(plan)) == plans.load(json.dumps(state))


def test_deleted_resource_breaks_no_rule():
    gone = {
        "address": "a",
        "type": "aws_iam_access_key",
        "mode": "managed",
        "change": {"after": None},
    }
    assert plans.resources({"resource_changes": [gone]}) == []


def test_another_document_is_refused():
    with pytest.raises(ValueError, match="neither a plan nor a state"):
        plans.load("{}")


def test_rules_name_only_known_resource_types():
    known = {setting.type for setting in SETTINGS} | set(terraform.BUCKET_COMPANIONS)
    assert known <= resource_types()
