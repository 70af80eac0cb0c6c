from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


def services() -> dict[str, dict[str, Any]]:
    """The services of docker-compose.yml, anchors resolved."""
    found: dict[str, dict[str, Any]] = document()["services"]
    return found


def document() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return read
