"""Rules for every pod: the Pod Security Standard `restricted`, and more."""

import re
from collections.abc import Iterator

from deploy.policy.manifests import Object, Objects, Workload, names_of, workloads

_DIGEST = re.compile(r"^[^@\s]+@sha256:[0-9a-f]{64}$")
_EXACT_TAG = re.compile(r"^[^@\s]+:v?\d+(\.\d+)+[\w.-]*$")
_SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|_KEY|DATABASE_URL|BROKER_URL")


def _containers(objects: Objects) -> Iterator[tuple[str, Workload, Object]]:
    for workload in workloads(objects):
        for container in workload.all_containers:
            yield f"{workload.name} {container['name']}", workload, container


def pods_do_not_run_as_root(objects: Objects) -> Iterator[str]:
    """A numeric user, so that the kubelet can check it without reading the image."""
    for workload in workloads(objects):
        context = workload.spec.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
            yield f"{workload.name}: set runAsNonRoot and a runAsUser above 0"
        if workload.is_ours and context.get("runAsUser", 0) < 10_000:
            yield f"{workload.name}: runAsUser must be 10000 or more, no user of a node"


def pods_have_a_seccomp_profile(objects: Objects) -> Iterator[str]:
    """Required by `restricted`."""
    for workload in workloads(objects):
        profile = workload.spec.get("securityContext", {}).get("seccompProfile", {})
        if profile.get("type") != "RuntimeDefault":
            yield f"{workload.name}: set seccompProfile RuntimeDefault"


def pods_share_nothing_with_their_node(objects: Objects) -> Iterator[str]:
    """No namespaces, paths or ports of the node."""
    for workload in workloads(objects):
        spec = workload.spec
        yield from (
            f"{workload.name}: {key} must go"
            for key in ("hostNetwork", "hostPID", "hostIPC")
            if spec.get(key)
        )
        if any("hostPath" in volume for volume in spec.get("volumes", [])):
            yield f"{workload.name}: a hostPath must go"
    for name, _, container in _containers(objects):
        if any("hostPort" in port for port in container.get("ports", [])):
            yield f"{name}: a hostPort must go"


def containers_cannot_gain_rights(objects: Objects) -> Iterator[str]:
    """No escalation, no privilege, no capability."""
    for name, _, container in _containers(objects):
        context = container.get("securityContext", {})
        if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
            yield f"{name}: set allowPrivilegeEscalation false and no privileged"
        capabilities = context.get("capabilities", {})
        if capabilities.get("drop") != ["ALL"] or capabilities.get("add"):
            yield f"{name}: drop ALL capabilities and add none"
        if context.get("runAsUser") == 0 or context.get("runAsNonRoot") is False:
            yield f"{name}: must not undo the pod's runAsNonRoot"


def containers_have_a_read_only_root(objects: Objects) -> Iterator[str]:
    """With a /tmp of their own, because the root file system is read-only."""
    for name, workload, container in _containers(objects):
        if container.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
            yield f"{name}: set readOnlyRootFilesystem"
        mounts = {mount["mountPath"] for mount in container.get("volumeMounts", [])}
        if workload.is_ours and "/tmp" not in mounts:  # noqa: S108
            yield f"{name}: mount an emptyDir at /tmp"


def scratch_is_bounded(objects: Objects) -> Iterator[str]:
    """A full disk evicts the pod that filled it, not its neighbours."""
    for workload in workloads(objects):
        for volume in workload.spec.get("volumes", []):
            if "emptyDir" in volume and not (volume["emptyDir"] or {}).get("sizeLimit"):
                yield f"{workload.name}: emptyDir {volume['name']} needs a sizeLimit"


def tokens_are_not_mounted(objects: Objects) -> Iterator[str]:
    """No pod calls the API server; workload identity projects its own token."""
    for workload in workloads(objects):
        if workload.spec.get("automountServiceAccountToken") is not False:
            yield f"{workload.name}: set automountServiceAccountToken false"
        if workload.spec.get("enableServiceLinks") is not False:
            yield f"{workload.name}: set enableServiceLinks false: no variables from Services"


def each_role_has_its_own_service_account(objects: Objects) -> Iterator[str]:
    """Rights belong to service accounts, and `default` is shared by all pods."""
    known = names_of(objects, "ServiceAccount")
    for workload in workloads(objects):
        account = workload.spec.get("serviceAccountName", "default")
        if workload.is_ours and account not in known:
            yield f"{workload.name}: its service account {account} is not among the manifests"


def resources_are_bounded(objects: Objects) -> Iterator[str]:
    """CPU and memory have requests, and the memory limit equals the request."""
    for name, _, container in _containers(objects):
        asked = container.get("resources", {}).get("requests", {})
        limit = container.get("resources", {}).get("limits", {})
        if not {"cpu", "memory"} <= set(asked):
            yield f"{name}: request cpu and memory"
        if limit.get("memory") != asked.get("memory"):
            yield f"{name}: the memory limit must equal the request"


def images_are_pinned(objects: Objects) -> Iterator[str]:
    """Ours by digest, those of services beside it by digest or an exact version."""
    for name, workload, container in _containers(objects):
        image = container["image"]
        if workload.is_ours and not _DIGEST.match(image):
            yield f"{name}: {image} must be named by digest"
        if not (_DIGEST.match(image) or _EXACT_TAG.match(image)):
            yield f"{name}: {image} must be named by digest or an exact version"


def secrets_stand_in_files(objects: Objects) -> Iterator[str]:
    """Environments are printed by crash reports and inherited by children."""
    for name, _, container in _containers(objects):
        for variable in container.get("env", []):
            is_path = variable["name"].endswith(("_FILE", "_DIR"))
            if "secretKeyRef" in variable.get("valueFrom", {}):
                yield f"{name}: {variable['name']} comes from a Secret; mount it as a file"
            elif _SECRET.search(variable["name"]) and not is_path:
                yield f"{name}: {variable['name']} looks like a secret in the environment"
        if any("secretRef" in source for source in container.get("envFrom", [])):
            yield f"{name}: envFrom a Secret; mount it as files"


RULES = [
    pods_do_not_run_as_root,
    pods_have_a_seccomp_profile,
    pods_share_nothing_with_their_node,
    containers_cannot_gain_rights,
    containers_have_a_read_only_root,
    scratch_is_bounded,
    tokens_are_not_mounted,
    each_role_has_its_own_service_account,
    resources_are_bounded,
    images_are_pinned,
    secrets_stand_in_files,
]
