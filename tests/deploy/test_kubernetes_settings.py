import re

import pytest
import yaml

from deploy.policy.manifests import workloads
from tests.architecture.test_environment import documented
from tests.deploy import manifests, planted
from tests.deploy.manifests import CLOUDS, KUBERNETES, OVERLAYS, ROOT

# Read by libraries, not by us: boto3 and libpq.
LIBRARIES = {
    "AWS_DEFAULT_REGION",
    "AWS_SHARED_CREDENTIALS_FILE",
    "PGSSLMODE",
    "PGSSLROOTCERT",
}
# Empty in settings.env, filled in from terraform.env.
FROM_TERRAFORM = {"STORAGE_URL", "AWS_DEFAULT_REGION"}


def settings(objects):
    return next(
        found["data"]
        for found in objects
        if found["kind"] == "ConfigMap" and found["metadata"]["name"].startswith("leadgen-")
    )


def images(objects):
    return set(re.findall(r"[^\s\"']+@sha256:[0-9a-f]{64}", yaml.safe_dump(objects, width=1000)))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_setting_is_one_that_the_application_reads(overlay):
    names = set(settings(manifests.rendered(overlay)))
    assert {name.removesuffix("_FILE") for name in names - LIBRARIES} <= set(documented())


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_that_must_be_set_is_set(overlay):
    given = settings(manifests.rendered(overlay))
    required = {"ALLOWED_HOSTS", "PUBLIC_URL", "STORAGE_URL"}
    secret = {"SECRET_KEY_FILE", "DATABASE_URL_FILE", "BROKER_URL_FILE"}
    assert {name for name in required | secret if not given.get(name)} == set()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_settings_file_of_the_overlay_takes_effect(overlay):
    own = manifests.env_file(KUBERNETES / f"overlays/{overlay}/settings.env")
    given = settings(manifests.rendered(overlay))
    filled = FROM_TERRAFORM if overlay in CLOUDS else set()
    assert {(name, given[name]) for name in own if name not in filled} <= set(own.items())


@pytest.mark.parametrize(
    ("overlay", "mode"),
    [("aws", "verify-full"), ("gcp", "verify-ca"), ("digitalocean", "verify-full"), ("local", "")],
)
def test_database_certificate_check_has_the_strictest_mode(overlay, mode):
    assert settings(manifests.rendered(overlay)).get("PGSSLMODE", "") == mode


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_web_keep_alive_exceeds_the_load_balancers(overlay):
    # https://cloud.google.com/load-balancing/docs/https#timeout_for_keepalive_connections
    assert int(settings(manifests.rendered(overlay))["KEEPALIVE_SECONDS"]) > 600


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_setting_claims_to_choose_checksums(overlay):
    """`lib/backends.py` chooses by storage: a locked bucket of AWS demands what others refuse."""
    assert not [name for name in settings(manifests.rendered(overlay)) if "CHECKSUM" in name]


def test_external_secret_creates_every_secret_in_settings(tmp_path):
    objects = manifests.combined({"external-secrets", "mail"}, tmp_path / "both")
    files = {v.rsplit("/", 1)[1] for k, v in settings(objects).items() if k.endswith("_FILE")}
    made = planted.find(objects, "ExternalSecret/leadgen")["spec"]["target"]["template"]["data"]
    assert files == set(made)


def test_all_overlays_run_the_same_image():
    found = {overlay: images(manifests.rendered(overlay)) for overlay in OVERLAYS}
    assert set.union(*found.values()) == {
        manifests.env_file(KUBERNETES / "release/release.env")["image"]
    }
    assert all(found.values())


@pytest.mark.parametrize("cloud", CLOUDS)
def test_terraform_file_has_the_names_of_the_outputs(cloud):
    outputs = (ROOT / f"deploy/terraform/roots/{cloud}/outputs.tf").read_text()
    written = outputs.split("overlay = {")[1].split("\n  }")[0]
    names = set(re.findall(r"^    (\w+) +=", written, re.M))
    assert names == set(manifests.told(cloud))


def test_terraform_files_have_equal_names_in_all_clouds():
    names = {cloud: set(manifests.told(cloud)) for cloud in CLOUDS}
    assert names["aws"] == names["gcp"] == names["digitalocean"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_terraform_values_reach_the_manifests(cloud):
    told = manifests.told(cloud)
    objects = manifests.rendered(cloud)
    given = settings(objects)
    secret = planted.find(objects, "ExternalSecret/leadgen")["spec"]
    database = secret["target"]["template"]["data"]["DATABASE_URL"]
    assert f'"{told["db_host"]}" "{told["db_port"]}" "{told["db_name"]}"' in database
    assert given["STORAGE_URL"] == (
        f"s3://{told['bucket_name']}/?endpoint_url={told['bucket_endpoint']}"
    )
    assert given["BACKUP_URL"] == (
        f"s3://{told['bucket_backup']}/backups?endpoint_url={told['bucket_endpoint']}"
    )
    assert given["AWS_DEFAULT_REGION"] == told["bucket_region"]
    keys = {entry["remoteRef"]["key"] for entry in secret["data"]}
    assert keys == {told["db_secret"], told["broker_secret"], told["app_secret"]}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_labels_and_namespace_are_terraforms(cloud):
    told = manifests.told(cloud)
    web = planted.find(manifests.rendered(cloud), planted.WEB)["metadata"]
    assert web["namespace"] == told["kube_namespace"]
    for label in ("owner", "environment", "cost-centre", "data-classification"):
        assert web["labels"][label] == told[label.replace("-", "_")]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_terraform_env_is_the_only_place_of_labels(cloud, tmp_path):
    folder = manifests.changed(cloud, tmp_path, {"postgres-cnpg", "cert-manager", "rabbitmq"})
    given = TAGS | {"owner": "other-team", "cost-centre": "cc-4711"}
    _write_terraform_env(folder, {name.replace("-", "_"): given[name] for name in given})
    objects = manifests.kustomize(folder)
    places = [*_metadata(objects), *_pods_of_operators(objects)]
    wrong = [name for name, labels in places if {**labels, **given} != labels]
    assert wrong == []
    assert len(places) > len(objects)


TAGS = {
    "owner": "platform",
    "environment": "staging",
    "cost-centre": "cc-0000",
    "data-classification": "restricted",
}


def _write_terraform_env(folder, values):
    told = manifests.env_file(folder / "terraform.env") | values
    (folder / "terraform.env").write_text("".join(f"{k}={v}\n" for k, v in told.items()))


def _metadata(objects):
    for one in objects:
        yield f"{one['kind']}/{one['metadata']['name']}", one["metadata"]["labels"]
    for workload in workloads(objects):
        yield f"pods of {workload.name}", workload.labels


def _pods_of_operators(objects):
    cluster = planted.find(objects, "Cluster/postgres")["spec"]
    yield "pods of PostgreSQL", cluster["inheritedMetadata"]["labels"]
    (solver,) = planted.find(objects, "Issuer/acme")["spec"]["acme"]["solvers"]
    pod = solver["http01"]["gatewayHTTPRoute"]["podTemplate"]
    yield "pods of the ACME solver", pod["metadata"]["labels"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_public_url_is_the_only_place_of_the_host_name(cloud, tmp_path):
    folder = manifests.changed(cloud, tmp_path, {"cert-manager"})
    path = folder / "settings.env"
    path.write_text(path.read_text().replace("forms.example.com", "leads.example.org"))
    objects = manifests.kustomize(folder)
    assert settings(objects)["ALLOWED_HOSTS"] == "leads.example.org"
    assert "forms.example.com" not in yaml.safe_dump_all(objects)


def test_further_host_names_keep_their_places(tmp_path):
    folder = manifests.changed("aws", tmp_path, set())
    path = folder / "settings.env"
    path.write_text(path.read_text() + "ALLOWED_HOSTS=HOST,other.example.org\n")
    given = settings(manifests.kustomize(folder))
    assert given["ALLOWED_HOSTS"] == "forms.example.com,other.example.org"


def test_region_and_secret_namespace_are_copied_from_terraform(tmp_path):
    values = {"kube_region": "eu-north-1", "secret_namespace": "a-secrets"}
    stores: dict[str, dict[str, str]] = {}
    for cloud in ("aws", "digitalocean"):
        folder = manifests.changed(cloud, tmp_path / cloud, set())
        _write_terraform_env(folder, values)
        store = planted.find(manifests.kustomize(folder), "SecretStore/leadgen")
        stores |= store["spec"]["provider"]
    assert stores["aws"]["region"] == "eu-north-1"
    assert stores["kubernetes"]["remoteNamespace"] == "a-secrets"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_gateway_answers_to_the_first_allowed_host(overlay):
    objects = manifests.rendered(overlay)
    host = settings(objects)["ALLOWED_HOSTS"].split(",")[0]
    gateway = planted.find(objects, "Gateway/web")["spec"]["listeners"]
    route = planted.find(objects, "HTTPRoute/web")["spec"]["hostnames"]
    assert {listener["hostname"] for listener in gateway} | set(route) == {host}


def test_a_namespace_for_each_client_is_named_everywhere(tmp_path):
    folder = tmp_path / "client"
    manifests.combined({"keda"}, folder)
    path = folder / "kustomization.yaml"
    path.write_text(path.read_text().replace("namespace: leadgen", "namespace: client-a"))
    text = yaml.safe_dump_all(manifests.kustomize(folder))
    assert "http://web.client-a.svc:8000/metrics" in text


def test_the_readme_lists_every_component():
    text = (ROOT / "deploy/kubernetes/README.md").read_text()
    listed = re.findall(r"^\| `([a-z-]+)` \|", text, re.M)
    assert listed == list(manifests.COMPONENTS)
