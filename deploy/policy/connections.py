"""Budget of database connections: what all pods of an overlay may open, and what a server allows.

Web opens its pools lazily, so the sum is reached only when the database is slow, which is when
refused connections hurt most. The application's own count:
leadgen/operations/collectors/database_sessions.py.
"""

from deploy.policy.manifests import Objects, Workload, of_kind, workloads

# Connections for other roles, from the documentation of each server. Amazon RDS: memory divided by
# 9,531,392 (8 GiB less the system's share). Cloud SQL: 400 from 7.5 GB on. DigitalOcean: 25 for
# each GiB, less 3.
LIMITS = {"db.m7g.large": 800, "db-custom-2-8192": 400, "db-s-2vcpu-4gb": 97}
# PostgreSQL's default of 100, less 3 for superusers.
DEFAULT_LIMIT = 97
_RESERVED = 3
_POOLS = ("DATABASE_POOL_SIZE", "CAPTURE_POOL_SIZE")
_POOL_DEFAULT = "8"
# A worker child has a second thread for intake; delivery runs threads.
_FOR_EACH = {"prefork": 2, "threads": 1}
# The lock and the migration; the snapshot and the copy of a backup.
_COMMAND = 2


def budget(objects: Objects) -> int:
    """Return the connections that all pods may open at once, during a rollout and a backup."""
    settings = _settings(objects)
    replicas = _most(objects)
    return sum(
        _pods(workload, replicas) * _connections(workload, settings)
        for workload in workloads(objects)
        if workload.is_ours and workload.labels.get("reaches-database")
    )


def limit(objects: Objects, managed_size: str) -> int:
    """Return what the overlay's own server allows, else a managed one of this size."""
    for cluster in of_kind(objects, "Cluster"):
        given = cluster["spec"].get("postgresql", {}).get("parameters", {}).get("max_connections")
        return int(given) - _RESERVED if given else DEFAULT_LIMIT
    own = [found for found in workloads(objects, "StatefulSet") if found.name.endswith("/postgres")]
    return DEFAULT_LIMIT if own else LIMITS[managed_size]


def _settings(objects: Objects) -> dict[str, str]:
    data: dict[str, str] = {}
    for found in of_kind(objects, "ConfigMap"):
        if found["metadata"]["name"].startswith("leadgen"):
            data |= found["data"]
    return data


def _most(objects: Objects) -> dict[str, int]:
    return {
        str(scaler["spec"]["scaleTargetRef"]["name"]): int(
            scaler["spec"].get("maxReplicas") or scaler["spec"]["maxReplicaCount"]
        )
        for scaler in of_kind(objects, "HorizontalPodAutoscaler", "ScaledObject")
    }


def _pods(workload: Workload, most: dict[str, int]) -> int:
    if workload.object["kind"] != "Deployment":
        return 1
    spec = workload.object["spec"]
    count = most.get(workload.object["metadata"]["name"]) or int(spec.get("replicas", 1))
    is_replaced = spec.get("strategy", {}).get("type") == "Recreate"
    return count if is_replaced else count + 1


def _connections(workload: Workload, settings: dict[str, str]) -> int:
    if workload.labels.get("serves-http"):
        pools = sum(int(settings.get(name, _POOL_DEFAULT)) for name in _POOLS)
        # The batch writer of the ledger has one connection of its own.
        return int(settings.get("WEB_CONCURRENCY", "2")) * (pools + 1)
    command = workload.spec["containers"][0].get("command", [])
    options = dict(part[2:].split("=", 1) for part in command if part[:2] == "--" and "=" in part)
    if "concurrency" not in options:
        return 1 if workload.object["kind"] == "Deployment" else _COMMAND
    return int(options["concurrency"]) * _FOR_EACH[options.get("pool", "prefork")]
