"""What the runbooks tell people to do must be what the programs and manifests take."""

import re

import pytest

from tests.deploy import manifests, planted
from tests.deploy.steps import ROOT

RUNBOOKS = ROOT / "deploy/docs/runbooks"


def page(name):
    return (RUNBOOKS / f"{name}.md").read_text()


@pytest.mark.parametrize("name", ["restore", "move", "fail-over", "roll-back"])
def test_runbooks_link_how_workers_stay_stopped(name):
    assert "../../kubernetes/README.md#stop-and-start" in page(name)


def test_stop_page_pauses_and_restores_each_scaler():
    text = (ROOT / "deploy/kubernetes/README.md").read_text()
    objects = manifests.rendered("aws")
    annotated = re.findall(r"annotate scaledobject (\w+) \S*/paused-replicas(=0|-)\s", text)
    scalers = ["worker", "delivery"]
    assert annotated == [(name, end) for end in ("=0", "-") for name in scalers]
    assert all(planted.find(objects, f"ScaledObject/{name}") for name in scalers)
    least = planted.find(objects, "HorizontalPodAutoscaler/web")["spec"]["minReplicas"]
    assert f"scale deployment/web --replicas={least}\n" in text


def test_manual_upgrade_page_names_the_required_signer():
    verify = (ROOT / "deploy/ci/verify.sh").read_text()
    exported = " ".join(re.findall(r"^ +export (.*)$", page("upgrade"), re.M))
    assert {"SIGNER", "SIGNER_ISSUER"} == set(re.findall(r"need (\w+)", verify))
    for name in ("SIGNER", "SIGNER_ISSUER"):
        assert f"{name}=" in exported


def test_a_plan_is_applied_in_the_folder_where_it_was_written():
    for path in RUNBOOKS.glob("*.md"):
        for folder, out in re.findall(
            r"terraform (-chdir=\S+ )?plan [^`]*-out=(\S+)`", path.read_text()
        ):
            assert f"`terraform {folder}apply {out}`" in path.read_text()


@pytest.mark.parametrize("cloud", manifests.CLOUDS)
def test_rotation_replaces_secrets_created_by_terraform(cloud):
    told = re.search(r"with ((?:`\w+`,? ?(?:or )?)+):", page("rotate-secrets"))
    made = (ROOT / f"deploy/terraform/modules/{cloud}/secrets/main.tf").read_text()
    (parties,) = re.findall(r"for_each = toset\((.*)\)", made)
    assert told
    assert set(re.findall(r"`(\w+)`", told[1])) == set(re.findall(r'"(\w+)"', parties))
