import re

import pytest

from tests.deploy.terraform import CLOUDS, TERRAFORM, blocks, resource_types

ROOTS = TERRAFORM / "roots"
FILES = {"main.tf", "variables.tf", "outputs.tf", "versions.tf"}
EXAMPLES = {"backend.tf.example", "terraform.tfvars.example"}
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
    assert files == FILES | EXAMPLES


@pytest.mark.parametrize("file", ["variables.tf", "outputs.tf"])
def test_inputs_and_outputs_are_the_same_in_all_clouds(file):
    assert len({text("roots", cloud, file) for cloud in CLOUDS}) == 1


def test_the_outputs_that_others_rely_on_are_there():
    assert set(blocks(ROOTS / "aws" / "outputs.tf", "output")) >= PROMISED


def given():
    overlay = text("roots", "aws", "outputs.tf").split("overlay = {")[1].split("\n  }")[0]
    return set(re.findall(r"^ +(\w+) +=", overlay, re.M))


def test_the_overlay_is_given_names_of_outputs_and_the_labels():
    labels = {"owner", "environment", "cost_centre", "data_classification"}
    assert given() - labels <= set(blocks(ROOTS / "aws" / "outputs.tf", "output"))
    assert labels <= given()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_overlay_reads_just_what_it_is_given(cloud):
    overlay = TERRAFORM.parent / "kubernetes" / "overlays" / cloud
    example = (overlay / "terraform.env").read_text(encoding="utf-8")
    assert set(re.findall(r"^(\w+)=", example, re.M)) == given()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_input_has_a_description_and_every_example_is_an_input(cloud):
    variables = text("roots", cloud, "variables.tf")
    examples = re.findall(r"^(\w+) +=", text("roots", cloud, "terraform.tfvars.example"), re.M)
    names = blocks(ROOTS / cloud / "variables.tf", "variable")
    assert variables.count("  description = ") == len(names)
    assert set(examples) <= set(names)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_example_gives_every_input_that_has_no_default(cloud):
    variables = text("roots", cloud, "variables.tf").split("\nvariable ")[1:]
    needed = {one.split('"')[1] for one in variables if "\n  default " not in one}
    examples = re.findall(r"^(\w+) +=", text("roots", cloud, "terraform.tfvars.example"), re.M)
    assert needed <= set(examples)


@pytest.mark.parametrize("path", sorted(TERRAFORM.glob("modules/*/*/main.tf")), ids=str)
def test_every_module_says_first_what_it_is(path):
    assert path.read_text(encoding="utf-8").startswith("# ")


def test_terraform_does_not_touch_the_cluster():
    foreign = ("kubernetes_", "helm_", "null_resource")
    assert not [one for one in resource_types() if one.startswith(foreign)]
    assert "local-exec" not in "".join(path.read_text() for path in TERRAFORM.rglob("*.tf"))


def test_what_digitalocean_cannot_protect_terraform_refuses_to_destroy():
    for module in ("cluster", "postgres", "storage"):
        assert "prevent_destroy = true" in text("modules", "digitalocean", module, "main.tf")


def test_the_brokers_only_user_is_never_changed():
    assert "ignore_changes = [user]" in text("modules", "aws", "broker", "main.tf")
