"""Rules about access rights in Terraform plans and states."""

import json
import re
from collections.abc import Iterator
from typing import Any

from deploy.policy.plans import UNKNOWN, Resource

POLICIES = ("policy", "assume_role_policy", "access_policy")
# Ready-made policies and roles that allow (nearly) everything.
ALMIGHTY = re.compile(
    r":policy/(.+/)?(AdministratorAccess|PowerUserAccess|\w+FullAccess)$"
    r"|:cluster-access-policy/AmazonEKSClusterAdminPolicy$"
    r"|^roles/(owner|editor)$"
)
# An endpoint only narrows what identities may do, and an own key's policy leaves it to IAM.
_FOR_ANYONE = {"aws_vpc_endpoint", "aws_vpc_endpoint_policy"}
_ALL_ACTIONS = {"aws_kms_key", "aws_kms_key_policy"}
Finding = tuple[str, Resource, str]
Statement = dict[str, Any]


def pinned(resources: list[Resource]) -> Iterator[Finding]:
    """Trust an outside identity only by its exact subject and audience."""
    for one in resources:
        if one.type == "google_iam_workload_identity_pool_provider":
            condition = str(one.get("attribute_condition") or "")
            if not re.search(r'assertion\.sub == "[^"*]+"', condition):
                yield "pinned", one, "set attribute_condition to the exact subject"
        for statement in _allowing(one, "assume_role_policy"):
            if "Federated" in statement.get("Principal", {}) and not _is_pinned(statement):
                yield "pinned", one, "trust sub and aud by StringEquals, without wildcards"


def least(resources: list[Resource]) -> Iterator[Finding]:
    """Refuse grants of all actions, of administrator roles, and to the whole internet."""
    for one in resources:
        members = f"{one.get('member')} {one.get('members')}"
        if "allUsers" in members or "allAuthenticatedUsers" in members:
            yield "least", one, "grant to a named identity"
        if any(ALMIGHTY.search(name) for name in _attached(one)):
            yield "least", one, "attach a policy or role with just what is needed"
        for statement in _allowing(one, *POLICIES):
            if one.type not in _ALL_ACTIONS and not _names_actions(statement):
                yield "least", one, "name the actions"
            if one.type not in _FOR_ANYONE and _is_for_anyone(statement):
                yield "least", one, "name who is allowed"


def _attached(one: Resource) -> list[str]:
    """Return the names of policies and roles that the resource grants."""
    names = [one.get("policy_arn"), one.get("role"), *_list(one.get("managed_policy_arns"))]
    return [name for name in names if isinstance(name, str)]


def _allowing(one: Resource, *paths: str) -> list[Statement]:
    """Return the statements that allow; a policy that is not known yet has none."""
    texts = [one.get(path) for path in paths]
    known = [
        json.loads(text) for text in texts if isinstance(text, str) and text not in ("", UNKNOWN)
    ]
    statements = [each for policy in known for each in _list(policy.get("Statement", []))]
    return [each for each in statements if each.get("Effect") == "Allow"]


def _names_actions(statement: Statement) -> bool:
    return not any("*" in action for action in _list(statement.get("Action", "*")))


def _is_for_anyone(statement: Statement) -> bool:
    principal = statement.get("Principal", {})
    named = principal.values() if isinstance(principal, dict) else [principal]
    return "NotPrincipal" in statement or any("*" in _list(value) for value in named)


def _is_pinned(statement: Statement) -> bool:
    exact = statement.get("Condition", {}).get("StringEquals", {})
    held = {name.rpartition(":")[2] for name, value in exact.items() if "*" not in str(value)}
    return {"sub", "aud"} <= held


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
