"""Terraform's plans and states (`terraform show -json`), read as a flat list of resources."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

UNKNOWN = "known after apply"


@dataclass(frozen=True, slots=True)
class Resource:
    """One managed resource: its address, type and values, and which values are not yet known."""

    address: str
    type: str
    values: dict[str, Any]
    unknown: dict[str, Any] = field(default_factory=dict)

    def get(self, path: str) -> Any:
        """Return the value at a.0.b; None if there is none, UNKNOWN if the cloud decides it."""
        if (value := _at(self.values, path)) is not None:
            return value
        return UNKNOWN if _at(self.unknown, path) is True else None

    @property
    def place(self) -> tuple[str, str]:
        """Return the module and the key that belong to it, which its companions share."""
        module, _, name = self.address.rpartition(f"{self.type}.")
        return module, name.partition("[")[2]


def resources(document: dict[str, Any]) -> list[Resource]:
    """Return the resources of a plan as they will be, or of a state as they are."""
    if "resource_changes" in document:
        return list(_planned(document["resource_changes"]))
    return list(_stored(document["values"]["root_module"]))


def load(text: str) -> list[Resource]:
    """Return the resources of `terraform show -json`; raise ValueError for others."""
    try:
        return resources(json.loads(text))
    except (KeyError, TypeError) as error:
        raise ValueError(f"neither a plan nor a state as JSON: {error} is missing") from error


def _planned(changes: list[dict[str, Any]]) -> Iterator[Resource]:
    for one in changes:
        after = one["change"]["after"]
        if one["mode"] == "managed" and after is not None:
            unknown = one["change"].get("after_unknown") or {}
            yield Resource(one["address"], one["type"], after, unknown)


def _stored(module: dict[str, Any]) -> Iterator[Resource]:
    for one in module.get("resources", []):
        if one["mode"] == "managed":
            yield Resource(one["address"], one["type"], one["values"])
    for child in module.get("child_modules", []):
        yield from _stored(child)


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
