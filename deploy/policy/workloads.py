"""Rules for running roles: probes, graceful shutdown, spread, scaling, schedules."""

import re
from collections import Counter
from collections.abc import Iterator

from deploy.policy.manifests import Object, Objects, Workload, of_kind, selects, workloads

# Seconds in which gunicorn ends requests in flight (leadgen/processes/gunicorn_config.py), and
# the seconds to spare.
GRACEFUL_TIMEOUT = 25
SPARE = 5
_FIELD = r"(\*|\d+(-\d+)?)(/\d+)?(,\d+(-\d+)?)*"
_SCHEDULE = re.compile(rf"^{_FIELD}( {_FIELD}){{4}}$")
_MAINS = ("Deployment", "StatefulSet")


def _main(workload: Workload) -> Object:
    return dict(workload.spec["containers"][0])


def _probe_path(container: Object, probe: str) -> str:
    return str(container.get(probe, {}).get("httpGet", {}).get("path", ""))


def probes_mean_something(objects: Objects) -> Iterator[str]:
    """Startup has enough time, a hanging process is found, a backend's fault restarts no pod."""
    for workload in workloads(objects, *_MAINS):
        container = _main(workload)
        missing = [p for p in ("startupProbe", "livenessProbe") if p not in container]
        # No service sends anything to a port that only metrics are read from.
        ports = {port["name"] for port in container.get("ports", [])} - {"metrics"}
        if ports and "readinessProbe" not in container:
            missing.append("readinessProbe")
        if missing:
            yield f"{workload.name}: needs {', '.join(missing)}"
        if _probe_path(container, "livenessProbe") == "/health/ready":
            yield f"{workload.name}: liveness must not ask the backends"
        serves = workload.labels.get("serves-http")
        if serves and _probe_path(container, "readinessProbe") != "/health/ready":
            yield f"{workload.name}: readiness must ask /health/ready"


def requests_in_flight_may_end(objects: Objects) -> Iterator[str]:
    """Grace period: removal from the endpoints, requests in flight, and a reserve."""
    for workload in workloads(objects, "Deployment"):
        if "serves-http" not in workload.labels:
            continue
        stop = _main(workload).get("lifecycle", {}).get("preStop", {})
        waits = stop.get("sleep", {}).get("seconds", 0)
        grace = workload.spec.get("terminationGracePeriodSeconds", 30)
        if waits < 5:
            yield f"{workload.name}: preStop must sleep, or new requests meet a closed door"
        if grace < waits + GRACEFUL_TIMEOUT + SPARE:
            needed = waits + GRACEFUL_TIMEOUT + SPARE
            yield f"{workload.name}: terminationGracePeriodSeconds {grace} is below {needed}"


def nothing_starts_on_an_older_schema(objects: Objects) -> Iterator[str]:
    """Pods that use the database wait until the migrations of their release are applied."""
    for workload in workloads(objects, "Deployment"):
        if not (workload.is_ours and workload.labels.get("reaches-database")):
            continue
        said = [" ".join(c.get("command", [])) for c in workload.spec.get("initContainers", [])]
        # Web alone may start without the database: it is ready only when it has seen the tables.
        waits = ["migrate --check"]
        if workload.labels.get("serves-http"):
            waits.append("wait_for_schema")
        if not any(wait in command for command in said for wait in waits):
            yield f"{workload.name}: needs an initContainer that waits for `{waits[-1]}`"


def a_rollout_takes_no_capacity(objects: Objects) -> Iterator[str]:
    """A new pod is ready before an old one goes; beat alone is replaced."""
    for workload in workloads(objects, "Deployment"):
        strategy = workload.object["spec"].get("strategy", {})
        if workload.object["spec"].get("replicas") == 1:
            if strategy.get("type") != "Recreate":
                yield f"{workload.name}: one replica by design must say Recreate"
        elif strategy.get("rollingUpdate", {}).get("maxUnavailable") != 0:
            yield f"{workload.name}: set rollingUpdate maxUnavailable 0"


def replicas_are_spread(objects: Objects) -> Iterator[str]:
    """Over zones and hosts, as a wish: a full zone must not stop a rollout."""
    for workload in _replicated(objects):
        rules = workload.spec.get("topologySpreadConstraints", [])
        keys = {rule["topologyKey"] for rule in rules}
        if not {"topology.kubernetes.io/zone", "kubernetes.io/hostname"} <= keys:
            yield f"{workload.name}: spread over zones and hosts"
        for rule in rules:
            if not selects(rule.get("labelSelector", {}), workload.labels):
                yield f"{workload.name}: its spread counts other pods"
            if rule.get("whenUnsatisfiable") != "ScheduleAnyway":
                yield f"{workload.name}: its spread can keep pods from starting"


def drains_are_never_blocked(objects: Objects) -> Iterator[str]:
    """Each replicated role has one budget, of maxUnavailable."""
    budgets = list(of_kind(objects, "PodDisruptionBudget"))
    for budget in budgets:
        spec, name = budget["spec"], f"PodDisruptionBudget/{budget['metadata']['name']}"
        if "minAvailable" in spec or spec.get("maxUnavailable") in (None, 0, "0%"):
            yield f"{name}: say maxUnavailable of at least 1, never minAvailable"
        if spec.get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield f"{name}: a broken pod must not hold up a drain: AlwaysAllow"
    for workload in _replicated(objects):
        found = [b for b in budgets if selects(b["spec"]["selector"], workload.labels)]
        if len(found) != 1:
            yield f"{workload.name}: has {len(found)} budgets, must have one"


def one_scaler_owns_the_replicas(objects: Objects) -> Iterator[str]:
    """Never two, and then the manifest names no number that each apply would bring back."""
    targets = Counter(_target(scaler) for scaler in _scalers(objects))
    known = {workload.name: workload for workload in workloads(objects)}
    for target, count in targets.items():
        if count > 1:
            yield f"{target}: has {count} scalers"
        if target not in known:
            yield f"{target}: is scaled and not among the manifests"
        elif "replicas" in known[target].object["spec"]:
            yield f"{target}: is scaled, so replicas must go"
    for workload in workloads(objects, *_MAINS):
        if workload.name not in targets and "replicas" not in workload.object["spec"]:
            yield f"{workload.name}: has neither replicas nor a scaler"


def scaling_ends_above_nothing(objects: Objects) -> Iterator[str]:
    """At least two at all times; workers keep running when the metric is unavailable."""
    for scaler in _scalers(objects):
        spec = scaler["spec"]
        least = spec.get("minReplicas", spec.get("minReplicaCount", 0))
        if least < 2:
            yield f"{scaler['kind']} of {_target(scaler)}: at least 2 replicas"
        if scaler["kind"] == "ScaledObject" and spec.get("fallback", {}).get("replicas", 0) < least:
            yield f"{scaler['kind']} of {_target(scaler)}: needs a fallback"


def jobs_end(objects: Objects) -> Iterator[str]:
    """A deadline, few tries, no restart in place."""
    for workload in workloads(objects, "Job", "CronJob"):
        spec = workload.object["spec"]
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if not spec.get("activeDeadlineSeconds") or spec.get("backoffLimit", 6) > 3:
            yield f"{workload.name}: needs activeDeadlineSeconds and a backoffLimit of at most 3"
        if workload.spec.get("restartPolicy") != "Never":
            yield f"{workload.name}: restartPolicy Never keeps the logs of each try"


def schedules_are_sound(objects: Objects) -> Iterator[str]:
    """Five fields, a time zone, and no two at once."""
    for found in of_kind(objects, "CronJob"):
        spec, name = found["spec"], found["metadata"]["name"]
        if not _SCHEDULE.match(spec["schedule"]):
            yield f"CronJob/{name}: {spec['schedule']!r} is no schedule"
        if spec.get("concurrencyPolicy") != "Forbid":
            yield f"CronJob/{name}: set concurrencyPolicy Forbid"
        if not spec.get("timeZone"):
            yield f"CronJob/{name}: name its timeZone"


def the_release_is_one(objects: Objects) -> Iterator[str]:
    """Every role runs the same image, and the migration carries the release's name."""
    ours = [workload for workload in workloads(objects) if workload.is_ours]
    images = {c["image"] for workload in ours for c in workload.all_containers}
    if len(images) > 1:
        yield f"more than one image of ours: {', '.join(sorted(images))}"
    releases = [
        found["data"]["name"] for found in of_kind(objects, "ConfigMap") if _is_release(found)
    ]
    jobs = [workload.object["metadata"]["name"] for workload in workloads(objects, "Job")]
    if jobs != [f"migrate-{name}" for name in releases]:
        yield f"the migration is {jobs}, the release {releases}"


def _is_release(found: Object) -> bool:
    return bool(found["metadata"]["name"] == "release")


def _replicated(objects: Objects) -> Iterator[Workload]:
    targets = {_target(scaler) for scaler in _scalers(objects)}
    for workload in workloads(objects, *_MAINS):
        if workload.name in targets or workload.object["spec"].get("replicas", 1) > 1:
            yield workload


def _scalers(objects: Objects) -> Iterator[Object]:
    return of_kind(objects, "HorizontalPodAutoscaler", "ScaledObject")


def _target(scaler: Object) -> str:
    target = scaler["spec"]["scaleTargetRef"]
    return f"{target.get('kind', 'Deployment')}/{target['name']}"


RULES = [
    probes_mean_something,
    requests_in_flight_may_end,
    nothing_starts_on_an_older_schema,
    a_rollout_takes_no_capacity,
    replicas_are_spread,
    drains_are_never_blocked,
    one_scaler_owns_the_replicas,
    scaling_ends_above_nothing,
    jobs_end,
    schedules_are_sound,
    the_release_is_one,
]
