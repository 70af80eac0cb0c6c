import re
import runpy

import pytest

from leadgen.processes import gunicorn_config
from tests.deploy.compose import ROOT, document, services

OURS = {"web", "worker", "delivery", "beat", "migrate", "demo", "backup", "restore"}
# Python's official image with a script of this repository.
PYTHON = {"balancer", "prepare"}
ONCE = {"migrate", "demo", "prepare", "restore"}
HOLDS_DATA = {"postgres", "rabbitmq", "seaweedfs"}
NAMES = sorted(services())
# Images whose own user is not root.
BY_IMAGE = {"prometheus", "grafana"}


def seconds(text):
    return int(text.removesuffix("s"))


def mounted(service):
    return [volume.split(":") for volume in service.get("volumes", [])]


def variables():
    lines = (ROOT / ".env.example").read_text().splitlines()
    return {line[1:].split("=")[0] for line in lines if re.match(r"#[A-Z_]+=", line)}


@pytest.mark.parametrize("name", NAMES)
def test_every_service_runs_without_powers_it_does_not_need(name):
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("cap_add", []) == (["CHOWN"] if name == "prepare" else [])
    assert "privileged" not in service


@pytest.mark.parametrize("name", NAMES)
def test_every_service_has_limits(name):
    assert {"mem_limit", "cpus", "pids_limit"} <= set(services()[name])


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"prepare"}))
def test_no_service_but_the_first_runs_as_root(name):
    user = services()[name].get("user", "image's")
    assert name in OURS | BY_IMAGE or user.split(":")[0] not in ("image's", "root", "0")


@pytest.mark.parametrize("name", NAMES)
def test_ports_are_open_to_this_machine_only(name):
    for port in services()[name].get("ports", []):
        assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", sorted(set(NAMES) - ONCE - {"web"}))
def test_every_lasting_service_has_a_health_check(name):
    assert services()[name]["healthcheck"]["test"][0].startswith("CMD")
    assert services()[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(ONCE))
def test_one_time_service_is_not_restarted(name):
    assert services()[name]["restart"] == "no"


@pytest.mark.parametrize("name", sorted(set(NAMES) - OURS - PYTHON))
def test_other_peoples_images_are_named_with_their_version(name):
    assert re.search(r":v?\d[\w.-]*$", services()[name]["image"])


@pytest.mark.parametrize("name", NAMES)
def test_compose_file_contains_no_secret(name):
    for variable, value in services()[name].get("environment", {}).items():
        if re.search("SECRET|PASSWORD|TOKEN|DATABASE|BROKER|CREDENTIALS", variable):
            assert value.startswith("/run/secrets/"), variable


@pytest.mark.parametrize("volume", [name for name in document()["volumes"] if "secrets-" in name])
def test_secrets_are_mounted_read_only_where_needed(volume):
    owner = volume.removeprefix("secrets-")
    may = {"leadgen": OURS, "watch": {"prometheus", "grafana"}}.get(owner, {owner})
    seen = {
        (name, *mount[1:])
        for name, service in services().items()
        for mount in mounted(service)
        if mount[0] == volume and name != "prepare"
    }
    assert seen == {(name, "/run/secrets", "ro") for name in may}


@pytest.mark.parametrize("name", sorted(HOLDS_DATA))
def test_data_service_has_a_volume_and_no_outside_network(name):
    service = services()[name]
    assert service["networks"] == ["back"]
    assert "ports" not in service
    assert name in [mount[0] for mount in mounted(service)]
    assert document()["networks"]["back"] == {"internal": True}


def test_files_mounted_from_the_checkout_exist():
    sources = {mount[0] for service in services().values() for mount in mounted(service)}
    assert [path for path in sources if path[0] == "." and not (ROOT / path).exists()] == []


def test_leadgen_gets_only_variables_that_it_reads():
    given = {
        name.removesuffix("_FILE")
        for role in ("web", "worker", "delivery", "beat")
        for name in services()[role]["environment"]
    }
    assert {name for name in given if not name.startswith("AWS_")} <= variables()


def test_no_variable_claims_to_choose_checksums():
    """`lib/backends.py` chooses by storage (tests/lib/test_backends.py)."""
    assert not [name for name in services()["web"]["environment"] if "CHECKSUM" in name]


def test_roles_but_web_wait_for_the_migration():
    for name in ("worker", "delivery", "beat", "demo", "backup"):
        condition = services()[name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"


def dependencies(name):
    """Every service that a service waits for, directly or not."""
    named = set(services()[name].get("depends_on", {}))
    return named.union(*map(dependencies, named))


@pytest.mark.parametrize("name", sorted(HOLDS_DATA | {"web", "balancer"}))
def test_a_new_image_stops_no_data_service_and_not_web(name):
    """Compose stops what depends on a service that it recreates."""
    images = {services()[each].get("image") for each in dependencies(name)}
    assert services()["migrate"]["image"] not in images


@pytest.mark.parametrize("name", sorted(HOLDS_DATA))
def test_data_services_wait_for_their_secrets_by_themselves(name):
    service = services()[name]
    assert "depends_on" not in service
    assert re.search(r"until \[ -s /run/secrets/[\w.]+ \]", service["entrypoint"][2])


def test_one_service_builds_the_image():
    assert [name for name in NAMES if "build" in services()[name]] == ["web"]


def test_every_service_that_ends_is_waited_for():
    """``up --wait`` fails for a service that ended, unless another one waits for its end."""
    waited = {
        name
        for service in services().values()
        for name, condition in service.get("depends_on", {}).items()
        if condition["condition"] == "service_completed_successfully"
    }
    assert ONCE - {"restore"} <= waited


def test_demo_is_an_optional_dependency():
    assert services()["beat"]["depends_on"]["demo"]["required"] is False


def test_leadgens_role_is_no_superuser():
    assert services()["postgres"]["environment"].get("POSTGRES_USER", "postgres") == "postgres"
    statements = (ROOT / "deploy/compose/postgres.sql").read_text()
    assert "CREATE ROLE leadgen LOGIN CREATEDB" in statements
    assert " SUPERUSER" not in statements


def test_web_has_time_to_answer_pending_requests():
    assert seconds(services()["web"]["stop_grace_period"]) >= gunicorn_config.graceful_timeout + 5


@pytest.fixture
def prepare(tmp_path, monkeypatch):
    monkeypatch.setattr("os.chown", lambda *arguments: None)
    (tmp_path / "credentials").write_text("[backup]\naws_access_key_id = elsewhere\n")
    for owner in ("leadgen", "postgres", "rabbitmq", "seaweedfs", "watch"):
        (tmp_path / owner).mkdir()

    def run():
        module = runpy.run_path(str(ROOT / "deploy/compose/prepare.py"))
        module["main"].__globals__["SECRETS"] = tmp_path
        module["main"].__globals__["CREDENTIALS"] = tmp_path / "credentials"
        module["main"]()
        return {
            str(path.relative_to(tmp_path)): path.read_text()
            for path in tmp_path.rglob("*/*")
            if path.is_file()
        }

    return run


def test_secrets_are_created_once(prepare):
    assert prepare() == prepare()


def test_two_deployments_share_no_secret(prepare, tmp_path):
    first = prepare()
    for name in first:
        (tmp_path / name).unlink()
    assert [name for name, text in prepare().items() if text == first[name]] == []


def test_keys_of_a_bucket_for_backups_are_added_to_leadgens_own(prepare):
    keys = prepare()["leadgen/aws_credentials"]
    assert keys.startswith("[default]")
    assert keys.endswith("[backup]\naws_access_key_id = elsewhere\n")


@pytest.mark.parametrize("name", sorted(HOLDS_DATA))
def test_the_file_that_a_data_service_waits_for_is_written_last(prepare, tmp_path, name):
    prepare()
    (waits,) = re.findall(r"-s /run/secrets/([\w.]+)", services()[name]["entrypoint"][2])
    newest = max((tmp_path / name).iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert newest.name == waits


def test_a_start_that_was_cut_off_is_finished_by_the_next(prepare, tmp_path):
    whole = prepare()
    for name in ("leadgen/broker_url", "leadgen/aws_credentials", "leadgen/database_url"):
        (tmp_path / name).unlink()
    assert prepare() == whole


def test_every_file_that_a_service_reads_is_created(prepare):
    made = {name.split("/")[1] for name in prepare()}
    text = (ROOT / "docker-compose.yml").read_text()
    text += (ROOT / "deploy/compose/prometheus.yml").read_text()
    read = set(re.findall(r"/run/secrets/([\w.]+)", text))
    assert read <= made
