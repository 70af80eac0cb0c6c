"""The Prometheus operator's copy of deploy/monitoring/rules: ``python -m dev.rules`` writes it."""

import yaml

from dev.state import ROOT

RULES = ROOT / "deploy" / "monitoring" / "rules"
OPERATOR = ROOT / "deploy" / "monitoring" / "prometheusrule.yaml"
_HEAD = "# Written by `python -m dev.rules` from rules/; change those.\n"


def for_the_operator() -> str:
    """Return all groups of rules as one PrometheusRule."""
    groups = [
        group
        for path in sorted(RULES.glob("*.yaml"))
        for group in yaml.safe_load(path.read_text())["groups"]
    ]
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "leadgen"},
        "spec": {"groups": groups},
    }
    return _HEAD + yaml.safe_dump(rule, sort_keys=False, width=100, allow_unicode=True)


def main() -> None:
    """Write the copy."""
    OPERATOR.write_text(for_the_operator())


if __name__ == "__main__":
    main()
