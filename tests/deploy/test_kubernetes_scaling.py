import re

import pytest

from leadgen import celery
from leadgen.processes import roles, schedule, worker_fallback
from tests.deploy import manifests, planted

pytestmark = pytest.mark.django_db


def triggers():
    scalers = [one for one in manifests.rendered("aws") if one["kind"] == "ScaledObject"]
    return [trigger for scaler in scalers for trigger in scaler["spec"]["triggers"]]


def hints(role):
    """The messages that beat sends to the role within the time-out of the fallback."""
    tasks = [task for task in schedule.TASKS.values() if task.queue in roles.ROLES[role].queues]
    return sum(worker_fallback.TIMEOUT // task.every for task in tasks)


@pytest.mark.parametrize("role", ["worker", "delivery"])
def test_beat_sends_each_pod_a_hint_before_its_fallback_runs(role):
    scaler = planted.find(manifests.rendered("aws"), f"ScaledObject/{role}")
    assert scaler["spec"]["maxReplicaCount"] < hints(role)


@pytest.mark.parametrize("role", ["worker", "delivery"])
def test_the_architecture_page_names_the_numbers_of_pods(role):
    spec = planted.find(manifests.rendered("aws"), f"ScaledObject/{role}")["spec"]
    page = (manifests.ROOT / "deploy/docs/architecture.md").read_text()
    (row,) = re.findall(rf"^\| {role} \|.*$", page, re.M)
    assert f"| {spec['minReplicaCount']} to {spec['maxReplicaCount']} |" in row


def test_every_metric_that_scales_roles_is_exported(client, settings, tmp_path):
    settings.STORAGES["default"]["OPTIONS"]["location"] = str(tmp_path)
    text = client.get("/metrics").text
    for trigger in triggers():
        assert re.search(rf"^{re.escape(trigger['metadata']['valueLocation'])} ", text, re.M)


def test_keda_sends_the_token_that_web_expects(client, settings):
    settings.METRICS_TOKEN = "told"
    settings.ALLOWED_HOSTS = ["forms.example.com"]
    host = {"host": "web.leadgen.svc:8000"}
    assert client.get("/metrics", headers=host).status_code == 401
    said = client.get("/metrics", headers={**host, "authorization": "Bearer told"})
    assert said.status_code == 200


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_probes_and_scrapes_work_by_the_pods_address(client, settings, path):
    settings.ALLOWED_HOSTS = ["forms.example.com"]
    assert client.get(path, headers={"host": "10.20.0.7:8000"}).status_code == 200


def test_a_task_may_end_softly_before_its_worker_is_killed():
    worker = planted.find(manifests.rendered("aws"), "Deployment/worker")["spec"]["template"]
    soft = celery.app.conf.worker_soft_shutdown_timeout
    assert worker["spec"]["terminationGracePeriodSeconds"] >= soft + 10


@pytest.mark.parametrize("cloud", manifests.CLOUDS)
def test_restore_check_has_the_room_of_the_runbook(cloud):
    job = planted.find(manifests.rendered(cloud), "CronJob/restore-check")["spec"]["jobTemplate"]
    pod = job["spec"]["template"]["spec"]
    container = pod["containers"][0]
    folder = next(entry["value"] for entry in container["env"] if entry["name"] == "TMPDIR")
    mount = next(entry for entry in container["volumeMounts"] if entry["mountPath"] == folder)
    volume = next(entry for entry in pod["volumes"] if entry["name"] == mount["name"])
    assert "volumeClaimTemplate" in volume["ephemeral"]
    assert container["resources"]["requests"]["memory"] == "1Gi"
