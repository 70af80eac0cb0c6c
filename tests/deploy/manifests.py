import copy
import functools
import json
import os
import shutil
import subprocess
from pathlib import Path

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped]
import yaml

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
SCHEMAS = Path(__file__).parent / "schemas"
CLOUDS = ("aws", "gcp", "digitalocean")
OVERLAYS = (*CLOUDS, "local")
# The oldest and the newest Kubernetes that the manifests are meant for.
VERSIONS = ("1.33", "1.37")
# In the order of deploy/kubernetes/README.md: a component changes what stands before it.
COMPONENTS = (
    *("managed-storage", "seaweedfs", "rabbitmq", "external-secrets", "external-secrets-rabbitmq"),
    *("external-secrets-postgres", "external-secrets-storage", "mail"),
    *("managed-database", "postgres", "postgres-cnpg", "managed-broker"),
    *("backup", "restore-check", "storage-keys", "gateway", "cert-manager", "capture-isolated"),
    *("keda", "monitoring", "datadog", "tracing", "gitops-argocd"),
)
# What one cannot be without.
NEEDS = {"restore-check": "backup"}
# Two ways to have the same thing: one of them is chosen.
ALTERNATIVES = [{"postgres", "postgres-cnpg"}]
_LABELS = {
    "owner": "platform",
    "environment": "test",
    "cost-centre": "cc-0000",
    "data-classification": "confidential",
}
_faults: dict[str, list[str]] = {}


def rendered(overlay):
    return copy.deepcopy(list(_rendered(overlay)))


@functools.cache
def _rendered(overlay):
    return tuple(kustomize(KUBERNETES / "overlays" / overlay))


def told(cloud):
    """What Terraform said: the example's values, or a deployment's own."""
    return env_file(KUBERNETES / f"overlays/{cloud}/terraform.env")


def env_file(path):
    lines = (line for line in path.read_text().splitlines() if line and line[0] != "#")
    return dict(line.split("=", 1) for line in lines)


def combined(components, folder):
    components = components | {NEEDS[name] for name in components if name in NEEDS}
    kustomization = {
        "namespace": "leadgen",
        "resources": [_from(folder, "base"), "store.yaml"],
        "components": [
            *(_from(folder, f"components/{name}") for name in COMPONENTS if name in components),
            _from(folder, "release"),
        ],
        "labels": [{"pairs": _LABELS, "includeTemplates": True}],
        "configMapGenerator": [
            {
                "name": "leadgen",
                "behavior": "merge",
                "literals": ["PUBLIC_URL=https://a.example.com"],
            }
        ],
        "transformers": [_from(folder, f"transformers/{name}") for name in ("names", "claims")],
    }
    folder.mkdir(parents=True)
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    shutil.copy(KUBERNETES / "overlays/aws/secret-store.yaml", folder / "store.yaml")
    return kustomize(folder)


def changed(overlay, folder, add, drop=()):
    """A copy of the overlay with components added in their order, and others dropped."""
    for name in ("kubernetes", "monitoring"):
        shutil.copytree(ROOT / "deploy" / name, folder / name)
    copied = folder / "kubernetes/overlays" / overlay
    file = copied / "kustomization.yaml"
    kustomization = yaml.safe_load(file.read_text())
    taken = {path.rsplit("/", 1)[1] for path in kustomization["components"]} - {*drop} | {*add}
    components = [f"../../components/{name}" for name in COMPONENTS if name in taken]
    kustomization["components"] = [*components, "../../release"]
    file.write_text(yaml.safe_dump(kustomization))
    return copied


def self_managed(cloud, database, folder):
    """The overlay with PostgreSQL and RabbitMQ in the cluster, as the README says to switch."""
    added = {database, "external-secrets-postgres", "rabbitmq", "external-secrets-rabbitmq"}
    overlay = changed(cloud, folder, added, {"managed-database", "managed-broker"})
    # As Terraform writes it then.
    said = told(cloud) | {"db_host": "", "broker_host": "", "db_port": 5432, "broker_port": 5672}
    (overlay / "terraform.env").write_text("".join(f"{k}={v}\n" for k, v in said.items()))
    return kustomize(overlay)


def _from(folder, name):
    # Kustomize takes no absolute path.
    return os.path.relpath(KUBERNETES / name, folder)


def kustomize(folder):
    command = [os.environ.get("KUBECTL", "kubectl"), "kustomize", str(folder)]
    # It lives for a moment: collecting garbage on every core would double its cost.
    env = {**os.environ, "GOGC": "off", "GOMAXPROCS": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.load_all(done.stdout, yaml.CSafeLoader))


def faults(objects):
    return [fault for found in objects for fault in _faults_of(found)]


def _faults_of(found):
    text = json.dumps(found, sort_keys=True)
    if text not in _faults:
        name = f"{found['kind']}/{found['metadata']['name']}"
        _faults[text] = [f"{name}: {fault}" for fault in _check(found)]
    return _faults[text]


def _check(found):
    group, _, version = found["apiVersion"].rpartition("/")
    custom = SCHEMAS / group / f"{found['kind'].lower()}_{version}.json"
    if custom.exists():
        return [error.message for error in _validator(custom).iter_errors(found)]
    return [fault for version in VERSIONS if (fault := _builtin(found, version))]


@functools.cache
def _validator(path):
    return jsonschema.Draft202012Validator(json.loads(path.read_text()))


def _builtin(found, version):
    try:
        kubernetes_validate.validate(found, version, strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        return f"no schema of {found['apiVersion']} {found['kind']} in {version}"
    except kubernetes_validate.ValidationError as error:
        return error.message
    return ""
