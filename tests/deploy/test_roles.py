"""Compose and Kubernetes run the roles as leadgen/processes/roles.py defines them."""

import json
import re

import pytest

from leadgen.processes.roles import DELIVERY, ROLES, Metrics, Probe
from tests.deploy import manifests, planted
from tests.deploy.compose import ROOT, services

# `doctor` is run by hand inside another role's container.
NAMES = sorted(set(ROLES) - {"doctor"})
LASTING = [name for name in NAMES if name != "migrate"]
HEARTBEAT = ["python", "-m", "leadgen.processes.heartbeat"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def default_command():
    return json.loads(re.findall(r"^CMD (.+)$", DOCKERFILE, re.M)[-1])


def default_probe():
    return json.loads(re.findall(r"^  CMD (.+)$", DOCKERFILE, re.M)[-1])


def pod(name, overlay="aws"):
    kind = "Job/migrate-*" if name == "migrate" else f"Deployment/{name}"
    return planted.find(manifests.rendered(overlay), kind)["spec"]["template"]


def container(name):
    (main,) = pod(name)["spec"]["containers"]
    return main


@pytest.mark.parametrize("name", NAMES)
def test_compose_runs_the_command_of_the_role(name):
    command = services()[name].get("command") or default_command()
    assert command == list(ROLES[name].command)


@pytest.mark.parametrize("name", NAMES)
def test_kubernetes_runs_the_command_of_the_role(name):
    command = container(name).get("command") or default_command()
    assert command == list(ROLES[name].command)


def test_kubernetes_deploys_every_role_and_no_other():
    ours = {
        found["metadata"]["labels"]["app.kubernetes.io/component"]
        for found in manifests.rendered("aws")
        if found["kind"] == "Deployment"
        and found["metadata"]["labels"].get("app.kubernetes.io/name") == "leadgen"
    }
    assert ours == set(LASTING)


@pytest.mark.parametrize("name", LASTING)
def test_compose_uses_the_probe_of_the_role(name):
    test = services()[name].get("healthcheck", {"test": ["CMD", *default_probe()]})["test"]
    assert test == ["CMD", *HEARTBEAT, name]


@pytest.mark.parametrize("name", LASTING)
def test_kubernetes_uses_the_probe_of_the_role(name):
    probe = container(name)["livenessProbe"]
    if ROLES[name].probe == Probe.HTTP:
        assert probe["httpGet"]["path"] == "/health/live"
    else:
        assert probe["exec"]["command"] == [*HEARTBEAT, name]


@pytest.mark.parametrize("name", NAMES)
def test_metrics_are_served_on_the_port_of_the_role(name):
    ports = {port["name"]: port["containerPort"] for port in container(name).get("ports", [])}
    expected = {Metrics.HTTP: {"http": 8000}, Metrics.PORT: {"metrics": 9100}, Metrics.NONE: {}}
    assert ports == expected[ROLES[name].metrics]
    is_on_port = "METRICS_PORT" in services()[name]["environment"]
    assert is_on_port == (ROLES[name].metrics == Metrics.PORT)


def test_smtp_is_open_to_delivery_and_to_doctor_in_web():
    open_to = {name for name in NAMES if "reaches-mail" in pod(name)["metadata"]["labels"]}
    assert open_to == {"web", *(name for name in NAMES if DELIVERY in ROLES[name].queues)}
