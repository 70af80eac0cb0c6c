import re
import subprocess

import pytest

from tests.deploy.manifests import ROOT
from tests.deploy.terraform import CLOUDS, TERRAFORM, blocks, resource_types

ROOTS = TERRAFORM / "roots"
FILES = {"main.tf", "variables.tf", "outputs.tf", "versions.tf"}
EXAMPLES = {"backend.tf.example", "terraform.tfvars.example"}
# What a deployment makes of them and commits.
OWN = {"backend.tf", "terraform.tfvars", ".terraform.lock.hcl"}
# Whose service a resource of Google's provider belongs to, by the start of its name.
GOOGLE = {
    "artifact_registry": "artifactregistry",
    "billing": "billingbudgets",
    "compute": "compute",
    "container": "container",
    "iam": "iam",
    "kms": "cloudkms",
    "monitoring": "monitoring",
    "project": "cloudresourcemanager",
    "secret_manager": "secretmanager",
    "service_account": "iam",
    "service_networking": "servicenetworking",
    "sql": "sqladmin",
    "storage": "storage",
}
PROMISED = {
    *("kube_cluster", "kube_region", "kube_context_command", "network_cidr"),
    *(
        "db_host",
        "db_port",
        "db_name",
        "db_ca",
        "db_secret",
        "broker_host",
        "broker_port",
        "broker_secret",
    ),
    *("bucket_name", "bucket_backup", "bucket_region", "bucket_endpoint", "bucket_secret"),
    *("identity_web", "identity_worker", "identity_backup", "identity_secrets", "identity_ci"),
    *("app_secret", "secret_store", "registry_url", "manual_steps", "overlay_env"),
}


def text(*parts):
    return TERRAFORM.joinpath(*parts).read_text(encoding="utf-8")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_root_has_the_same_files(cloud):
    files = {path.name for path in (ROOTS / cloud).iterdir() if path.is_file()}
    assert files - OWN == FILES | EXAMPLES


@pytest.mark.parametrize("cloud", CLOUDS)
def test_inputs_are_committed_and_state_is_ignored(cloud):
    secret = {"plan", "terraform.tfstate", "terraform.tfstate.backup"}
    asked = [f"deploy/terraform/roots/{cloud}/{name}" for name in sorted(OWN | secret)]
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", *asked], cwd=ROOT, capture_output=True, text=True
    )
    assert {path.rsplit("/", 1)[1] for path in done.stdout.split()} == secret


@pytest.mark.parametrize("file", ["variables.tf", "outputs.tf"])
def test_inputs_and_outputs_are_the_same_in_all_clouds(file):
    assert len({text("roots", cloud, file) for cloud in CLOUDS}) == 1


def test_the_outputs_that_others_rely_on_are_there():
    assert set(blocks(ROOTS / "aws" / "outputs.tf", "output")) >= PROMISED


def overlay_values():
    overlay = text("roots", "aws", "outputs.tf").split("overlay = {")[1].split("\n  }")[0]
    return set(re.findall(r"^ +(\w+) +=", overlay, re.M))


def test_overlay_gets_names_of_outputs_and_labels():
    labels = {"owner", "environment", "cost_centre", "data_classification"}
    assert overlay_values() - labels <= set(blocks(ROOTS / "aws" / "outputs.tf", "output"))
    assert labels <= overlay_values()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_overlay_reads_exactly_the_terraform_values(cloud):
    overlay = TERRAFORM.parent / "kubernetes" / "overlays" / cloud
    example = (overlay / "terraform.env").read_text(encoding="utf-8")
    assert set(re.findall(r"^(\w+)=", example, re.M)) == overlay_values()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_inputs_are_described_and_examples_are_inputs(cloud):
    variables = text("roots", cloud, "variables.tf")
    examples = re.findall(r"^(\w+) +=", text("roots", cloud, "terraform.tfvars.example"), re.M)
    names = blocks(ROOTS / cloud / "variables.tf", "variable")
    assert variables.count("  description = ") == len(names)
    assert set(examples) <= set(names)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_example_sets_every_input_without_default(cloud):
    variables = text("roots", cloud, "variables.tf").split("\nvariable ")[1:]
    needed = {one.split('"')[1] for one in variables if "\n  default " not in one}
    examples = re.findall(r"^(\w+) +=", text("roots", cloud, "terraform.tfvars.example"), re.M)
    assert needed <= set(examples)


@pytest.mark.parametrize("path", sorted(TERRAFORM.glob("modules/*/*/main.tf")), ids=str)
def test_every_module_starts_with_a_comment(path):
    assert path.read_text(encoding="utf-8").startswith("# ")


def test_terraform_does_not_touch_the_cluster():
    foreign = ("kubernetes_", "helm_", "null_resource")
    assert not [one for one in resource_types() if one.startswith(foreign)]
    assert "local-exec" not in "".join(path.read_text() for path in TERRAFORM.rglob("*.tf"))


def test_one_prometheus_collects_the_metrics_of_gke():
    """The overlays bring kube-prometheus-stack; a managed one beside it is billed per sample."""
    cluster = text("modules", "gcp", "cluster", "main.tf")
    assert re.search(r"managed_prometheus \{\s+enabled = false", cluster)
    assert re.findall(r"monitoring_config \{[^}]*enable_components = (.*)", cluster) == [
        '["SYSTEM_COMPONENTS"]'
    ]
    assert "kube-prometheus-stack" in (ROOT / "deploy/scripts/cluster/add-ons.sh").read_text()


def test_terraform_prevents_destroying_digitalocean_data():
    for module in ("cluster", "postgres", "storage"):
        assert "prevent_destroy = true" in text("modules", "digitalocean", module, "main.tf")


def test_the_brokers_only_user_is_never_changed():
    assert "ignore_changes = [user]" in text("modules", "aws", "broker", "main.tf")


def test_rabbitmq_of_amazon_mq_has_no_key():
    assert "encryption_options" not in text("modules", "aws", "broker", "main.tf")


def test_budget_uses_billing_currency_and_project():
    root = text("roots", "gcp", "main.tf")
    budget = re.search(r'module "budget" \{.*?\n\}', root, re.S)
    assert "currency_code" not in text("modules", "gcp", "budget", "main.tf")
    assert budget
    assert "google = google.budget" in budget[0]
    assert "billing_project " in root


def test_workload_pool_grants_wait_for_the_cluster():
    assert "workload_pool  = module.cluster.workload_pool" in text("roots", "gcp", "main.tf")


def test_every_google_service_in_use_is_enabled():
    script = (ROOT / "deploy/scripts/cluster/google-services.sh").read_text()
    enabled = re.search(r"services=\((.*?)\)", script, re.S)
    assert enabled
    kinds = {kind for kind in resource_types() if kind.startswith("google_")}
    families = {next((f for f in GOOGLE if kind.startswith(f"google_{f}")), kind) for kind in kinds}
    assert {GOOGLE.get(family, family) for family in families} <= set(enabled[1].split())


def test_google_accounts_are_created_before_their_keys():
    script = (ROOT / "deploy/scripts/cluster/google-services.sh").read_text()
    made = re.search(r"for service in (.*);", script)
    keys = re.findall(r'(\w+) += "service-', text("modules", "gcp", "encryption", "main.tf"))
    names = {
        "cluster": "container",
        "postgres": "sqladmin",
        "secrets": "secretmanager",
        "registry": "artifactregistry",
    }
    assert made
    assert {names.get(key, key) for key in keys} == {*made[1].split(), "storage"}
    assert "gcloud storage service-agent" in script
