"""Readers of rendered manifests as plain dictionaries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
Objects = Sequence[Object]

MANDATORY_LABELS = ("owner", "environment", "cost-centre", "data-classification")


@dataclass(frozen=True, slots=True)
class Workload:
    """An object that creates pods: its name as kind/name, the object, its pod template."""

    name: str
    object: Object
    template: Object

    @property
    def kind(self) -> str:
        return str(self.object["kind"])

    @property
    def spec(self) -> Object:
        return dict(self.template["spec"])

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.template.get("metadata", {}).get("labels", {}))

    @property
    def is_ours(self) -> bool:
        """Whether it runs the application's image rather than a service beside it."""
        return self.labels.get("app.kubernetes.io/name") == "leadgen"

    @property
    def all_containers(self) -> list[Object]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]


def name_of(found: Object) -> str:
    """Return kind/name, as kubectl prints it."""
    return f"{found['kind']}/{found['metadata']['name']}"


def of_kind(objects: Objects, *kinds: str) -> Iterator[Object]:
    """Yield the objects of these kinds."""
    return (found for found in objects if found["kind"] in kinds)


def names_of(objects: Objects, *kinds: str) -> set[str]:
    """Return the plain names of the objects of these kinds."""
    return {found["metadata"]["name"] for found in of_kind(objects, *kinds)}


def workloads(objects: Objects, *kinds: str) -> Iterator[Workload]:
    """Yield every object that creates pods, or only those of these kinds."""
    wanted = kinds or ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")
    for found in of_kind(objects, *wanted):
        spec = found["spec"]
        if found["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        yield Workload(name_of(found), found, spec["template"])


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether a selector by labels selects an object; an empty one selects all."""
    wanted = [(key, [value]) for key, value in selector.get("matchLabels", {}).items()]
    for expression in selector.get("matchExpressions", []):
        if expression["operator"] != "In":
            raise ValueError(f"only selectors by label and In are read here: {selector}")
        wanted.append((expression["key"], expression["values"]))
    return all(labels.get(key) in values for key, values in wanted)
