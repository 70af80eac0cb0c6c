import json
import os
import time

import pytest

from leadgen.processes.roles import ROLES
from tests.deploy.engine import docker, eventually

pytestmark = [pytest.mark.image, pytest.mark.xdist_group("image")]

TAG = os.environ.get("LEADGEN_IMAGE", "")
BASE = "python:3.13-slim-trixie"
# Nothing that a pod under the restricted profile would not have; an id that nobody knows.
RESTRICTED = ["--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--user=987654:54321"]


def run(*command):
    return docker("run", "--rm", "--network=none", *RESTRICTED, TAG, *command)


def inspect(image):
    return json.loads(docker("image", "inspect", image))[0]


def test_leadgen_adds_little_to_its_base():
    assert inspect(TAG)["Size"] - inspect(BASE)["Size"] < 150_000_000


def test_image_has_user_labels_and_health_check():
    config = inspect(TAG)["Config"]
    assert config["User"] == "10001:0"
    assert config["Labels"]["org.opencontainers.image.revision"]
    assert config["Healthcheck"]["Test"][-1] == "web"


def test_nothing_that_builds_is_left():
    tools = "for tool in gcc cc make pip pip3 uv git curl; do command -v $tool; done; true"
    assert run("sh", "-c", tools) == ""
    assert "No module named pip" in run("sh", "-c", "python -m pip 2>&1; true")
    assert run("sh", "-c", "ls -A /tmp /var/lib/apt/lists") in (
        "",
        "/tmp:\n\n/var/lib/apt/lists:\n",
    )


def test_nothing_can_be_written_but_temporary_files():
    find = "find / -xdev -writable ! -type l ! -path '/proc/*' ! -path '/dev/*' 2>/dev/null; true"
    command = ["run", "--rm", "--network=none", "--cap-drop=ALL", TAG, "sh", "-c", find]
    assert set(docker(*command).split()) <= {"/tmp", "/var/tmp", "/run/lock"}


def test_sources_are_compiled_and_readable_by_every_user():
    find = "find /app /opt/venv/lib -name"
    count = f"{find} '*.py' | wc -l; {find} '*.pyc' | wc -l"
    sources, compiled = map(int, run("sh", "-c", count).split())
    assert sources == compiled
    assert run("sh", "-c", "find /app /opt/venv ! -readable") == ""


def layers_of_another_build(*options):
    again = f"{TAG}-again"
    docker("build", "--quiet", "--network=host", f"--tag={again}", *options, ".")
    try:
        return list(inspect(again)["RootFS"]["Layers"])
    finally:
        docker("rmi", again)


def test_the_same_sources_make_the_same_layers():
    ours = inspect(TAG)["RootFS"]["Layers"]
    assert ours[-3:] == layers_of_another_build("--no-cache")[-3:]


def test_release_without_new_packages_adds_one_layer():
    ours = inspect(TAG)["RootFS"]["Layers"]
    release = ["--build-arg=SOURCE_DATE_EPOCH=86400", "--build-arg=REVISION=another"]
    assert len(set(layers_of_another_build(*release)) - set(ours)) == 1


@pytest.mark.parametrize(
    ("role", "command"),
    [
        (
            "web",
            [
                "gunicorn",
                "-c",
                "python:leadgen.processes.gunicorn_config",
                "leadgen.asgi:application",
            ],
        ),
        ("worker", ["celery", "-A", "leadgen", "worker", "--concurrency=1"]),
        ("delivery", list(ROLES["delivery"].command)),
        ("beat", ["celery", "-A", "leadgen", "beat"]),
    ],
)
def test_role_runs_without_root_and_backends_and_stops(role, command):
    nowhere = {
        "SECRET_KEY": "a-secret-of-this-test-alone-" + "x" * 32,
        "ALLOWED_HOSTS": "forms.example.com",
        "PUBLIC_URL": "https://forms.example.com",
        "DATABASE_URL": "postgresql://leadgen@127.0.0.1:1/leadgen",
        "BROKER_URL": "amqp://leadgen@127.0.0.1:1//",
        "STORAGE_URL": "file:///tmp/storage",
    }
    variables = [f"--env={name}={value}" for name, value in nowhere.items()]
    container = docker("run", "--detach", *RESTRICTED, *variables, TAG, *command).strip()
    try:
        probe = ["exec", container, "python", "-m", "leadgen.processes.heartbeat", role]
        eventually(lambda: succeeds(*probe), seconds=60)
        first = docker("exec", container, "cat", "/proc/1/cmdline").split("\0")[:2]
        assert [os.path.basename(part) for part in first] == ["python", command[0]]
        started = time.monotonic()
        docker("stop", "--time=30", container)
        assert time.monotonic() - started < 25
        assert json.loads(docker("inspect", container))[0]["State"]["ExitCode"] == 0
    finally:
        docker("rm", "--force", container)


def succeeds(*arguments):
    try:
        docker(*arguments)
    except AssertionError:
        return False
    return True
