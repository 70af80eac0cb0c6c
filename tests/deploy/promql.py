import json
import os
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import yaml

from tests.deploy.manifests import ROOT

MONITORING = ROOT / "deploy" / "monitoring"
# Exported by others: Prometheus, kubelet, cert-manager, RabbitMQ, blackbox and node exporter.
FOREIGN = {
    "up",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
    "certmanager_certificate_expiration_timestamp_seconds",
    "probe_ssl_earliest_cert_expiry",
    "node_filesystem_avail_bytes",
    "node_filesystem_size_bytes",
    "rabbitmq_alarms_memory_used_watermark",
    "rabbitmq_alarms_free_disk_space_watermark",
}
_NOT_NAMES = re.compile(
    r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)'
)
_WORD = re.compile(r"(?<![\w.:])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])")
_OPERATORS = {"or", "and", "unless", "by", "on", "bool", "offset", "Inf", "inf", "NaN"}


def names(expression: str) -> set[str]:
    """The metrics that an expression reads."""
    bare = expression
    while (shorter := _NOT_NAMES.sub("", bare)) != bare:
        bare = shorter
    return set(_WORD.findall(bare)) - _OPERATORS


def rules() -> Iterator[dict[str, Any]]:
    for path in sorted((MONITORING / "rules").glob("*.yaml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def dashboards() -> dict[str, dict[str, Any]]:
    found = sorted((MONITORING / "dashboards").glob("*.json"))
    return {path.stem: json.loads(path.read_text()) for path in found}


def panels() -> Iterator[dict[str, Any]]:
    for dashboard in dashboards().values():
        yield from dashboard["panels"]


def queries() -> Iterator[str]:
    for panel in panels():
        yield from (target["expr"] for target in panel.get("targets", []))


def promtool(*arguments):
    command = [os.environ.get("PROMTOOL", "promtool"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
