"""Every rule that rendered manifests must keep. A rule yields what breaks it, and what to do."""

from deploy.policy import pods, wiring, workloads
from deploy.policy.manifests import Objects

RULES = {rule.__name__: rule for rule in (*pods.RULES, *workloads.RULES, *wiring.RULES)}


def findings(objects: Objects) -> list[str]:
    """Return each finding with its rule's name before it; empty when every rule is kept."""
    return [f"{name}: {finding}" for name, rule in RULES.items() for finding in rule(objects)]
