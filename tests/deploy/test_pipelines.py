import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from tests.deploy import manifests
from tests.deploy.steps import ROOT

CI = ROOT / "deploy/ci"
STEPS = sorted(path for path in CI.glob("*.sh") if path.name != "lib.sh")
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
GITLAB = ROOT / ".gitlab-ci.yml"
JENKINS = ROOT / "Jenkinsfile"
# What each stage does, in this order, whoever runs it.
STAGES = {
    "check": ["check", "pin"],
    "test": ["test"],
    "package": ["build", "sbom", "scan", "login", "registry", "push", "sign"],
    "plan": ["login", "plan"],
    "apply": ["login", "plan", "apply"],
    "deploy": ["login", "registry", "connect", "deploy"],
}
STEP = re.compile(r"deploy/ci/(\w+)\.sh")
# Only DigitalOcean needs keys (EX-02); all else is exchanged for the pipeline's identity.
KEYS = {"DIGITALOCEAN_TOKEN", "SPACES_ACCESS_KEY_ID", "SPACES_SECRET_ACCESS_KEY"}
# What reaches the cloud or signs asks for an identity token.
IDENTIFIED = {"login", "sign"}


def jobs(path):
    return yaml.safe_load(path.read_text())["jobs"]


def github():
    found = {name: job for path in WORKFLOWS for name, job in jobs(path).items() if "steps" in job}
    # deploy.yml delivers in one of two ways; the caller's job of that name has no steps.
    found["deploy"] = found.pop("apply") | jobs(ROOT / ".github/workflows/deploy.yml")["apply"]
    found["apply"] = jobs(ROOT / ".github/workflows/plan.yml")["apply"]
    return {name: STEP.findall(str(job["steps"])) for name, job in found.items()}


def gitlab():
    document = yaml.safe_load(GITLAB.read_text())
    found = [job for job in document.values() if isinstance(job, dict) and "script" in job]
    return {job["stage"]: STEP.findall("\n".join(job["script"])) for job in found}


def jenkins():
    stages = re.split(r"stage\('(\w+)'\)", JENKINS.read_text())[1:]
    return {name: STEP.findall(body) for name, body in zip(stages[::2], stages[1::2], strict=True)}


def run(*command):
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run(
        [program, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def accepts(*command):
    status, said = run(*command)
    return status == 0 or said


def test_github_runs_all_stages_and_gitops_delivery():
    assert github() == STAGES | {"gitops": ["login", "registry", "deploy"]}


@pytest.mark.parametrize("pipeline", [gitlab, jenkins])
def test_every_pipeline_runs_the_same_stages(pipeline):
    assert pipeline() == STAGES


def test_pipelines_or_the_deploy_step_run_every_step():
    called = set(STEP.findall((CI / "deploy.sh").read_text() + (CI / "rollback.sh").read_text()))
    assert {path.stem for path in STEPS} == called | set(chain.from_iterable(STAGES.values()))


@pytest.mark.parametrize("path", STEPS, ids=lambda path: path.stem)
def test_step_is_executable_and_has_a_description(path):
    first, second, *rest = path.read_text().splitlines()
    assert path.stat().st_mode & 0o111
    assert first == "#!/usr/bin/env bash"
    assert second.startswith("# ")
    assert '. "$(dirname "$0")/lib.sh"' in rest


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_steps_and_nothing_else(path):
    steps = [step for job in jobs(path).values() for step in job.get("steps", [])]
    for command in (step["run"] for step in steps if "run" in step):
        assert STEP.fullmatch(command) or command.startswith("sudo apt-get "), command


def test_github_job_installs_prometheus_for_the_tests():
    *_, installs, tests = jobs(ROOT / ".github/workflows/ci.yml")["test"]["steps"]
    assert installs["run"].endswith(" prometheus")
    assert tests["run"] == "deploy/ci/test.sh"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_named_by_commit_with_their_version(path):
    for used in re.findall(r"uses: (.+)", path.read_text()):
        assert used.startswith("./") or re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", used), used


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_only_jobs_that_log_in_or_sign_get_an_identity(path):
    document = yaml.safe_load(path.read_text())
    assert document["permissions"] == {}
    for name, job in document["jobs"].items():
        called = set(STEP.findall(str(job.get("steps")))) & IDENTIFIED
        asks = job["permissions"].get("id-token") == "write"
        assert asks == bool(called) or "uses" in job, name
        assert not called or "environment" in job, name


@pytest.mark.parametrize("path", [*WORKFLOWS, GITLAB, JENKINS], ids=lambda path: path.stem)
def test_pipelines_hold_no_key_but_those_of_the_exception(path):
    text = path.read_text()
    assert set(re.findall(r"secrets\.(\w+)", text)) <= KEYS
    assert not re.search(r"AWS_SECRET|AWS_ACCESS|KUBECONFIG|GOOGLE_CREDENTIALS", text)


def test_jenkins_uses_separate_identities_for_terraform():
    stages = re.split(r"stage\('(\w+)'\)", JENKINS.read_text())[1:]
    bodies = dict(zip(stages[::2], stages[1::2], strict=True))
    asked = {name: re.findall(r"asTerraform\('(\w+)'\)", body) for name, body in bodies.items()}
    assert {name: found for name, found in asked.items() if found} == {
        "plan": ["plan"],
        "apply": ["infrastructure"],
    }


def test_jenkins_credentials_and_identities_are_documented():
    documented = (ROOT / "deploy/docs/continuous-delivery.md").read_text()
    text = JENKINS.read_text()
    for name in re.findall(r"credentialsId: [\"']([\w-]+)", text):
        assert f"`{name}" in documented
    for stage in re.findall(r"asTerraform\('(\w+)'\)", text):
        assert f"`IDENTITY_{stage.upper()}`" in documented


def test_variables_that_place_jobs_are_documented():
    placed = [
        f"{job.get('if')} {job.get('runs-on')}" for path in WORKFLOWS for job in jobs(path).values()
    ]
    documented = (ROOT / "deploy/docs/continuous-delivery.md").read_text()
    names = re.findall(r"vars\.(\w+)", " ".join(placed))
    assert set(names) == set(re.findall(r"^\| `(\w+)` \| repository;", documented, re.M))


def test_gitops_job_has_the_variables_for_cloud_log_in():
    one, other = (jobs(ROOT / ".github/workflows/deploy.yml")[name] for name in ("apply", "gitops"))
    asked = {"CLOUD", "IDENTITY", "IDENTITY_PROVIDER", "IMAGE_REPOSITORY", "REGISTRY_USER"}
    assert asked <= one["env"].keys() & other["env"].keys()


def test_pinned_programs_have_version_checksum_and_address():
    lines = [line for line in (CI / "tools.txt").read_text().splitlines() if line[0] != "#"]
    for name, version, checksum, address in (line.split() for line in lines):
        assert re.fullmatch("[0-9a-f]{64}", checksum), name
        assert address.startswith("https://")
        assert f"/{version}/" in address or f"/v{version}/" in address


def test_every_program_that_a_step_fetches_is_pinned():
    asked = {name for path in STEPS for name in re.findall(r"^tool (\w+)", path.read_text(), re.M)}
    pinned = re.findall(r"^(\w+) \d", (CI / "tools.txt").read_text(), re.M)
    assert asked == set(pinned)


def test_nothing_is_left_out_of_the_scan():
    assert yaml.safe_load((CI / "grype.yaml").read_text()) == {
        "fail-on-severity": "high",
        "only-fixed": True,
        "ignore": [],
    }


def test_shellcheck_finds_nothing_in_the_steps():
    assert accepts("shellcheck", "-x", "-P", CI, *STEPS, CI / "lib.sh") is True


def test_zizmor_finds_nothing_in_the_workflows():
    assert accepts("zizmor", "--offline", "--no-progress", "--quiet", ".github") is True


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("github-workflows", WORKFLOWS),
        ("gitlab-ci", [GITLAB]),
        ("dependabot", [ROOT / ".github/dependabot.yml"]),
    ],
)
def test_pipelines_fit_their_schema(schema, paths):
    assert accepts("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *paths) is True


def test_zizmor_and_the_schema_find_planted_faults(tmp_path):
    bad = tmp_path / ".github/workflows/bad.yml"
    bad.parent.mkdir(parents=True)
    bad.write_text(
        "on: pull_request_target\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    stepps: []\n"
        "    steps: [{run: 'echo ${{ github.event.issue.title }}'}, {uses: actions/cache@v4}]\n"
    )
    _, said = run("zizmor", "--offline", "--no-progress", "--quiet", tmp_path)
    assert all(f"[{rule}]" in said for rule in ("dangerous-triggers", "unpinned-uses"))
    assert run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", bad)[0] == 1


@pytest.mark.parametrize("overlay", manifests.OVERLAYS)
def test_staged_apply_covers_all_objects_and_roles_last(overlay):
    turns: list[list[str]] = [[], [], []]
    for one in manifests.rendered(overlay):
        labels = one["metadata"].get("labels", {})
        if labels.get("app.kubernetes.io/component") == "namespace":
            continue
        ours = labels.get("app.kubernetes.io/name") == "leadgen"
        migrates = labels.get("app.kubernetes.io/component") == "migrate"
        turns[ours + (ours and not migrates)].append(one["kind"])
    first, second, last = turns
    assert sorted(second) == ["Job", "ServiceAccount"]
    assert {"ConfigMap", "NetworkPolicy"} <= set(first)
    # The pipeline may not change namespaces: an administrator applies it (deploy/README.md).
    assert "Namespace" not in {*first, *second, *last}
    assert not {"Deployment", "CronJob", "Job"} & set(first)
    assert last.count("Deployment") == 4  # web, worker, delivery, beat


def everything(folder):
    for overlay in manifests.OVERLAYS:
        yield from manifests.rendered(overlay)
    for component in manifests.COMPONENTS:
        yield from manifests.combined({component}, folder / component)


def test_pipeline_role_may_apply_every_rendered_kind(tmp_path):
    rule = yaml.safe_load((CI / "rbac.yaml").read_text())["rules"][0]
    builtin = {"", "apps", "autoscaling", "batch", "policy", "networking.k8s.io"}
    for one in everything(tmp_path):
        group = one["apiVersion"].rpartition("/")[0]
        plural = re.sub("([^aeiou])y$", r"\1ie", one["kind"].lower()) + "s"
        assert group in builtin or (group in rule["apiGroups"] and plural in rule["resources"])


def test_the_pipelines_role_is_a_valid_one():
    role = yaml.safe_load((CI / "rbac.yaml").read_text())
    assert role["rules"]
    for version in manifests.VERSIONS:
        kubernetes_validate.validate(role, version, strict=True)  # raises


def test_cluster_requires_the_signing_workflows_signature():
    text = (ROOT / "deploy/kubernetes/admission/signatures.yaml").read_text()
    (path,) = re.findall(r"leadgen/(\.github/\S+)@refs/heads/main", text)
    assert "deploy/ci/sign.sh" in (ROOT / path).read_text()
