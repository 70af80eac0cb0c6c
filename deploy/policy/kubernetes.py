"""All rules for rendered manifests; each yields its violations with the fix."""

from deploy.policy import pods, wiring, workloads
from deploy.policy.manifests import Objects

RULES = {rule.__name__: rule for rule in (*pods.RULES, *workloads.RULES, *wiring.RULES)}


def findings(objects: Objects) -> list[str]:
    """Return each finding with its rule's name before it; empty when every rule is kept."""
    return [f"{name}: {finding}" for name, rule in RULES.items() for finding in rule(objects)]
