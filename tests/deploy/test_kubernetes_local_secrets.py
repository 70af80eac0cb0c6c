import json
import os
import subprocess

import pytest

from tests.deploy import manifests, planted

SCRIPT = manifests.KUBERNETES / "overlays/local/secrets.sh"
# Stands in for kubectl: keeps what it is told to make, and finds a Secret only if one was made.
KUBECTL = """#!/bin/sh
case "$*" in
  *"get secret"*) test -e "$SECRETS/leadgen" ;;
  *"create secret generic"*) shift 5; printf '%s\\0' "$@" > "$SECRETS/$1" ;;
esac
"""


@pytest.fixture
def made(tmp_path):
    (tmp_path / "bin").mkdir()
    kubectl = tmp_path / "bin" / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)
    (tmp_path / "secrets").mkdir()
    return tmp_path


def run(folder):
    env = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "SECRETS": str(folder / "secrets")}
    return subprocess.run(["sh", SCRIPT], env=env, capture_output=True, text=True, check=False)


def secrets(folder):
    found = {}
    for path in (folder / "secrets").iterdir():
        _, *literals = path.read_text().rstrip("\0").split("\0")
        pairs = (literal.removeprefix("--from-literal=").split("=", 1) for literal in literals)
        found[path.name] = dict(pairs)
    return found


def required_secrets():
    for found in manifests.rendered("local"):
        if found["kind"] in ("Deployment", "StatefulSet"):
            for volume in found["spec"]["template"]["spec"]["volumes"]:
                if "secret" in volume:
                    yield volume["secret"]["secretName"]


def test_every_secret_that_the_overlay_mounts_is_created(made):
    assert run(made).returncode == 0
    assert set(secrets(made)) == set(required_secrets())


def test_every_file_that_the_settings_name_is_in_the_secret(made):
    run(made)
    objects = manifests.rendered("local")
    settings = next(f["data"] for f in objects if f["metadata"]["name"].startswith("leadgen-"))
    files = {v for k, v in settings.items() if k.endswith("_FILE") and "/leadgen/" in v}
    assert {file.rsplit("/", 1)[1] for file in files} == set(secrets(made)["leadgen"])


def test_parts_share_their_passwords(made):
    run(made)
    found = secrets(made)
    assert found["postgres"]["password"] in found["leadgen"]["DATABASE_URL"]
    assert found["rabbitmq"]["user.conf"].split(" = ")[-1] in found["leadgen"]["BROKER_URL"]
    keys = json.loads(found["seaweedfs"]["s3.json"])["identities"][0]["credentials"][0]
    assert keys["secretKey"] in found["storage"]["credentials"]


def test_second_run_reports_that_nothing_was_changed(made):
    run(made)
    before = secrets(made)
    again = run(made)
    assert (again.returncode, secrets(made)) == (1, before)
    assert "nothing was changed" in again.stderr


def test_the_gateway_of_the_local_overlay_is_plain_http():
    gateway = planted.find(manifests.rendered("local"), "Gateway/web")
    assert [entry["protocol"] for entry in gateway["spec"]["listeners"]] == ["HTTP"]
