import copy
from fnmatch import fnmatch

from tests.deploy import manifests

WEB = "Deployment/web"


def objects():
    return manifests.rendered("aws")


def find(found, name):
    kind, _, own = name.partition("/")
    return next(f for f in found if f["kind"] == kind and fnmatch(f["metadata"]["name"], own))


def put(name, path, value):
    def fault(found):
        *above, last = [int(part) if part.isdigit() else part for part in path.split("|")]
        place = find(found, name)
        for part in above:
            place = place[part] if isinstance(part, int) else place.setdefault(part, {})
        if isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value

    return fault


def drop(name, path):
    def fault(found):
        *above, last = [int(part) if part.isdigit() else part for part in path.split("|")]
        place = find(found, name)
        for part in above:
            place = place[part]
        del place[last]

    return fault


def remove(name):
    return lambda found: found.remove(find(found, name))


def double(name, new):
    def fault(found):
        twin = copy.deepcopy(find(found, name))
        twin["metadata"]["name"] = new
        found.append(twin)

    return fault


POD = "spec|template|spec"
MAIN = f"{POD}|containers|0"
CRON = "spec|jobTemplate|spec|template|spec"
CLAIMING = {
    "kind": "StatefulSet",
    "metadata": {"name": "claiming"},
    "spec": {
        "template": {"spec": {"containers": []}},
        "volumeClaimTemplates": [{"metadata": {"name": "data", "labels": {"owner": "platform"}}}],
    },
}
# For each rule the faults that it must see.
FAULTS = {
    "pods_do_not_run_as_root": [
        drop(WEB, f"{POD}|securityContext|runAsNonRoot"),
        put(WEB, f"{POD}|securityContext|runAsUser", 0),
        put(WEB, f"{POD}|securityContext|runAsUser", 999),
    ],
    "pods_have_a_seccomp_profile": [
        put(WEB, f"{POD}|securityContext|seccompProfile", {"type": "Unconfined"}),
        drop("CronJob/backup", f"{CRON}|securityContext|seccompProfile"),
    ],
    "pods_share_nothing_with_their_node": [
        put(WEB, f"{POD}|hostNetwork", True),
        put(WEB, f"{POD}|volumes|0", {"name": "tmp", "hostPath": {"path": "/"}}),
        put(WEB, f"{MAIN}|ports|0|hostPort", 80),
    ],
    "containers_cannot_gain_rights": [
        drop(WEB, f"{MAIN}|securityContext|allowPrivilegeEscalation"),
        put(WEB, f"{MAIN}|securityContext|privileged", True),
        put(WEB, f"{MAIN}|securityContext|capabilities|add", ["NET_ADMIN"]),
        put(WEB, f"{MAIN}|securityContext|capabilities|drop", []),
        put(WEB, f"{POD}|initContainers|0|securityContext|runAsUser", 0),
    ],
    "containers_have_a_read_only_root": [
        put(WEB, f"{MAIN}|securityContext|readOnlyRootFilesystem", False),
        put(WEB, f"{MAIN}|volumeMounts", []),
    ],
    "scratch_is_bounded": [put(WEB, f"{POD}|volumes|0", {"name": "tmp", "emptyDir": {}})],
    "tokens_are_not_mounted": [
        drop(WEB, f"{POD}|automountServiceAccountToken"),
        put("CronJob/backup", f"{CRON}|enableServiceLinks", True),
    ],
    "each_role_has_its_own_service_account": [drop(WEB, f"{POD}|serviceAccountName")],
    "resources_are_bounded": [
        drop(WEB, f"{MAIN}|resources"),
        put(WEB, f"{MAIN}|resources|limits|memory", "2Gi"),
    ],
    "images_are_pinned": [
        put(WEB, f"{MAIN}|image", "registry.example.com/leadgen:1.4"),
        put(WEB, f"{MAIN}|image", "registry.example.com/leadgen"),
    ],
    "secrets_stand_in_files": [
        put(WEB, f"{MAIN}|env", [{"name": "SECRET_KEY", "value": "x"}]),
        put(
            WEB, f"{MAIN}|env", [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "leadgen"}}}]
        ),
        put(WEB, f"{MAIN}|envFrom|0", {"secretRef": {"name": "leadgen"}}),
    ],
    "probes_mean_something": [
        drop(WEB, f"{MAIN}|startupProbe"),
        drop(WEB, f"{MAIN}|readinessProbe"),
        drop("Deployment/worker", f"{MAIN}|livenessProbe"),
        put(WEB, f"{MAIN}|livenessProbe|httpGet|path", "/health/ready"),
        put(WEB, f"{MAIN}|readinessProbe|httpGet|path", "/health/live"),
    ],
    "requests_in_flight_may_end": [
        drop(WEB, f"{MAIN}|lifecycle"),
        put(WEB, f"{POD}|terminationGracePeriodSeconds", 39),
    ],
    "nothing_starts_on_an_older_schema": [drop("Deployment/worker", f"{POD}|initContainers")],
    "a_rollout_takes_no_capacity": [
        drop(WEB, "spec|strategy"),
        put("Deployment/beat", "spec|strategy", {"type": "RollingUpdate"}),
    ],
    "replicas_are_spread": [
        drop(WEB, f"{POD}|topologySpreadConstraints"),
        put(WEB, f"{POD}|topologySpreadConstraints|0|whenUnsatisfiable", "DoNotSchedule"),
        put(WEB, f"{POD}|topologySpreadConstraints|0|labelSelector|matchLabels|app", "other"),
    ],
    "drains_are_never_blocked": [
        remove("PodDisruptionBudget/web"),
        double("PodDisruptionBudget/web", "web-again"),
        put("PodDisruptionBudget/web", "spec|minAvailable", 2),
        put("PodDisruptionBudget/worker", "spec|maxUnavailable", 0),
        drop("PodDisruptionBudget/worker", "spec|unhealthyPodEvictionPolicy"),
    ],
    "one_scaler_owns_the_replicas": [
        put(WEB, "spec|replicas", 3),
        double("ScaledObject/worker", "worker-again"),
        remove("HorizontalPodAutoscaler/web"),
        put("ScaledObject/worker", "spec|scaleTargetRef|name", "wroker"),
    ],
    "scaling_ends_above_nothing": [
        put("HorizontalPodAutoscaler/web", "spec|minReplicas", 1),
        drop("ScaledObject/worker", "spec|minReplicaCount"),
        drop("ScaledObject/worker", "spec|fallback"),
    ],
    "jobs_end": [
        drop("Job/migrate-*", "spec|activeDeadlineSeconds"),
        drop("CronJob/backup", "spec|jobTemplate|spec|backoffLimit"),
        put("Job/migrate-*", f"{POD}|restartPolicy", "Always"),
    ],
    "schedules_are_sound": [
        put("CronJob/backup", "spec|schedule", "nightly"),
        put("CronJob/backup", "spec|concurrencyPolicy", "Forbidden"),
        drop("CronJob/backup", "spec|timeZone"),
    ],
    "the_release_is_one": [
        put(WEB, f"{MAIN}|image", f"registry.example.com/leadgen@sha256:{'1' * 64}"),
        put("Job/migrate-*", "metadata|name", "migrate"),
    ],
    "everything_is_labelled": [
        drop(WEB, "metadata|labels|owner"),
        drop(WEB, "spec|template|metadata|labels|cost-centre"),
        drop("NetworkPolicy/default-deny", "metadata|labels"),
    ],
    "claims_bear_no_tags": [
        lambda found: found.append(CLAIMING),
    ],
    "names_are_valid": [
        put("Service/web", "metadata|name", "Web_1"),
        put("Service/web", "metadata|namespace", "default"),
    ],
    "the_namespace_is_restricted": [
        drop("Namespace/leadgen", "metadata|labels|pod-security.kubernetes.io/enforce"),
        remove("ResourceQuota/leadgen"),
    ],
    "traffic_is_denied_by_default": [
        remove("NetworkPolicy/default-deny"),
        put("NetworkPolicy/default-deny", "spec|policyTypes", ["Ingress"]),
        put("NetworkPolicy/default-deny", "spec|egress", [{}]),
    ],
    "selectors_find_their_pods": [
        put(WEB, "spec|selector|matchLabels|app", "other"),
        put("Service/web", "spec|selector|app", "other"),
        put("Service/web", "spec|selector", {}),
        put("PodDisruptionBudget/web", "spec|selector|matchLabels|app", "other"),
    ],
    "references_are_kept": [
        put(WEB, f"{MAIN}|envFrom|0|configMapRef|name", "settings"),
        put("HTTPRoute/web", "spec|rules|1|backendRefs|0|port", 80),
        put("HTTPRoute/web", "spec|parentRefs|0|sectionName", "tls"),
        remove("SecretStore/leadgen"),
    ],
    "visitors_come_by_https": [put("HTTPRoute/web", "spec|parentRefs|0|sectionName", "http")],
    "secrets_come_from_a_store": [
        lambda found: found.append({"kind": "Secret", "metadata": {"name": "leadgen"}}),
        drop("ExternalSecret/leadgen", "spec|target|deletionPolicy"),
    ],
    "the_quota_holds_what_may_run": [
        put("ScaledObject/worker", "spec|maxReplicaCount", 60),
        put("ResourceQuota/leadgen", "spec|hard|requests.memory", "8Gi"),
    ],
}
