import re
from datetime import date, timedelta

import pytest
import yaml

from deploy.policy import pins
from tests.deploy import manifests
from tests.deploy.compose import services
from tests.deploy.steps import Runner

PINS = pins.parse(pins.REGISTRY.read_text())
# Numbers in a full version, where they are not three.
PARTS = {"postgres": 2, "ghcr.io/cloudnative-pg/postgresql": 2, "chrislusf/seaweedfs": 2}
DIGEST = "sha256:" + "e" * 64
# Python's official image follows its series: Leadgen's own image is built from it, and a release
# names it by digest (deploy/ci/build.sh).
BASE = "${PYTHON_IMAGE:-python:3.13-slim-trixie}"
OURS = "${LEADGEN_IMAGE:-leadgen:local}"


def in_compose():
    return {service["image"] for service in services().values()} - {BASE, OURS}


def in_components():
    text = "".join(path.read_text() for path in manifests.KUBERNETES.glob("components/**/*.yaml"))
    found = re.findall(r"^ *(?:- )?image(?:Name)?: (\S+)$", text, re.M)
    return set(found) - {"leadgen"}


def test_manifests_name_exactly_the_pinned_images():
    assert in_compose() | in_components() == {pin.name for pin in PINS}


@pytest.mark.parametrize("pin", PINS, ids=lambda pin: pin.image)
def test_a_pin_names_a_full_version(pin):
    name, _, tag = pin.image.rpartition(":")
    assert re.fullmatch(rf"v?\d+(\.\d+){{{PARTS.get(name, 3) - 1}}}(-[a-z]+)?", tag)


def test_one_version_of_rabbitmq_and_postgresql_runs():
    for name in ("rabbitmq", "postgres"):
        versions = {re.findall(r":v?([\d.]+)", pin.image)[0] for pin in PINS if name in pin.image}
        assert len(versions) == 1
    module = (manifests.ROOT / "deploy/terraform/modules/aws/broker/main.tf").read_text()
    (managed,) = re.findall(r'engine_version += "([\d.]+)"', module)
    (ours,) = {pin.image for pin in PINS if pin.image.endswith("-management")}
    assert f":{managed}." in ours


def test_old_version_is_a_warning():
    chosen = min(pin.dated for pin in PINS)
    assert list(pins.warnings(PINS, chosen, 180)) == []
    found = list(pins.warnings(PINS, chosen + timedelta(days=181), 180))
    assert "was chosen 181 days ago; look for a newer version" in found[0]


def test_digest_is_added_to_a_manifest_once():
    pin = pins.Pin("postgres:17.12", DIGEST, date(2026, 11, 28))
    text = "  image: postgres:17.12\n  name: postgres:17.12-other\n"
    written = pins.rewrite(text, [pin])
    assert written == f"  image: postgres:17.12@{DIGEST}\n  name: postgres:17.12-other\n"
    assert pins.rewrite(written, [pin]) == written


@pytest.fixture
def runner(tmp_path):
    made = Runner(tmp_path)
    (made.checkout / "docker-compose.yml").write_text(
        (pins.DEPLOY.parent / "docker-compose.yml").read_text()
    )
    return made


def test_step_writes_the_digests_that_the_registry_names(runner):
    runner.program("docker", f"echo {DIGEST}")
    runner.succeeds("pin", WRITE="1")
    components = runner.checkout / "deploy/kubernetes/components"
    compose = yaml.safe_load((runner.checkout / "docker-compose.yml").read_text())
    cluster = yaml.safe_load((components / "postgres-cnpg/cluster.yaml").read_text())
    assert compose["services"]["postgres"]["image"] == f"postgres:17.12@{DIGEST}"
    assert cluster["spec"]["imageName"].endswith(f"@{DIGEST}")
    assert "was not compared" not in runner.succeeds("pin")


def test_step_without_a_registry_warns_and_succeeds(runner):
    runner.program("docker", "exit 1")
    said = runner.succeeds("pin", WARN_DAYS="-1")
    assert said.count("no registry answered") == len(PINS)
    assert said.count("look for a newer version") == len(PINS)
    assert runner.git("diff", "--name-only") == ""


def test_step_names_a_tag_that_has_moved(runner):
    listed = runner.checkout / "deploy/ci/images.txt"
    listed.write_text(f"postgres:17.12 {DIGEST} 2026-11-28\n")
    runner.program("docker", f"echo {'sha256:' + 'f' * 64}")
    assert "warning: postgres:17.12 is sha256:f" in runner.succeeds("pin")
