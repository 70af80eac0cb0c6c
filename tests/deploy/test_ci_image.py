"""From the checkout to a signed image, and how the pipeline proves who it is."""

import hashlib
import json
import re
import stat

import pytest

from tests.deploy import manifests
from tests.deploy.steps import BEFORE, DIGEST, IMAGE, Runner

REPOSITORY = "registry.example.com/leadgen"
DOCKER = (
    'case "$*" in *login*) cat >/dev/null ;; *imagetools*) echo sha256:' + "d" * 64 + ";; esac\n"
)
# Writes the digest where it is told to; the name r6 is taken.
SKOPEO = f"""
case "$1" in
  inspect) [[ "$*" == *:r6 ]] ;;
  *) while [ $# -gt 1 ]; do [ "$1" != --digestfile ] || echo {DIGEST} >"$2"; shift; done
     touch "${{1#oci-archive:}}" 2>/dev/null || true ;;
esac
"""
SYFT = 'last="${@: -1}"; echo "{}" >"${last#*=}"\n'
TOKEN = "a-token-that-nobody-may-see"
OUTPUTS = {"IDENTITY": "arn:aws:iam::123456789012:role/ci", "IDENTITY_PROVIDER": "//iam/ci"}


@pytest.fixture
def runner(tmp_path):
    made = Runner(tmp_path)
    bodies = {"docker": DOCKER, "skopeo": SKOPEO, "syft": SYFT, "grype": "", "cosign": ""}
    for name, body in bodies.items():
        made.program(name, body)
    return made


@pytest.fixture
def built(runner):
    runner.state.mkdir()
    (runner.state / "image.tar").touch()
    return runner


def calls_of(runner, program):
    return [call for call in runner.calls if call.startswith(f"{program} ")]


def test_the_build_names_its_base_by_digest_and_its_own_commit(runner):
    runner.succeeds("build")
    build = calls_of(runner, "docker")[-1]
    assert f"BASE=python:3.13-slim-trixie@sha256:{'d' * 64}" in build
    assert f"REVISION={runner.git('rev-parse', 'HEAD')}" in build
    assert "--platform linux/amd64,linux/arm64" in build


@pytest.mark.parametrize(("verify", "daemon"), [("", ""), ("1", " leadgen-tls")])
def test_builder_gets_tls_certificates_from_a_docker_context(runner, verify, daemon):
    missing = 'case "$2" in inspect) exit 1 ;; esac\n'
    runner.program("docker", missing + DOCKER)
    runner.succeeds("build", DOCKER_TLS_VERIFY=verify)
    made = [call for call in calls_of(runner, "docker") if " create " in call]
    builder = f"docker buildx create --name leadgen --driver docker-container{daemon}"
    assert made == [*(["docker context create leadgen-tls"] if daemon else []), builder]


def test_uncommitted_changes_are_not_built(runner):
    (runner.checkout / "deploy/ci/tools.txt").write_text("changed")
    assert "commit them first" in runner.refuses("build")
    assert runner.calls == []


def test_sbom_of_each_platform_is_scanned(built):
    built.succeeds("sbom")
    built.succeeds("scan")
    scanned = [call.split()[1].rsplit("/", 1)[1] for call in calls_of(built, "grype")]
    assert scanned == ["sbom-amd64.json", "sbom-arm64.json"]


def test_a_vulnerability_stops_the_release(built):
    built.succeeds("sbom")
    built.program("grype", "exit 1")
    assert built.run("scan").returncode == 1


def test_scanned_image_is_pushed_and_named_by_digest(built, tmp_path):
    outputs = {"IMAGE_REPOSITORY": REPOSITORY, "GITHUB_OUTPUT": str(tmp_path / "outputs")}
    built.succeeds("push", **outputs)
    assert calls_of(built, "skopeo")[-1].endswith(f"image.tar docker://{REPOSITORY}:r7")
    assert "--preserve-digests" in calls_of(built, "skopeo")[-1]
    assert built.read("image") == f"{REPOSITORY}@{DIGEST}\n"
    assert (tmp_path / "outputs").read_text() == f"image={IMAGE}\nrelease=r7\n"


def test_a_releases_name_is_used_once(built):
    said = built.refuses("push", IMAGE_REPOSITORY=REPOSITORY, RELEASE="r6")
    assert "has r6 already, and a name is used once" in said
    assert not any("copy" in call for call in built.calls)


@pytest.mark.parametrize(
    ("key", "how"), [("", "--yes"), ("awskms:///k", "--yes --key awskms:///k")]
)
def test_the_digest_is_signed_and_its_contents_are_attested(built, key, how):
    (built.state / "image").write_text(IMAGE)
    built.succeeds("sign", COSIGN_KEY=key)
    signed, *attested = calls_of(built, "cosign")
    assert signed == f"cosign sign {how} {IMAGE}"
    assert [re.findall(r"sbom-\w+", call) for call in attested] == [["sbom-amd64"], ["sbom-arm64"]]
    assert all(call.endswith(IMAGE) for call in attested)


@pytest.mark.parametrize(
    ("step", "environment", "said"),
    [
        ("push", {}, "set IMAGE_REPOSITORY: "),
        ("registry", {"IMAGE_REPOSITORY": "ghcr.io/a/b"}, "set REGISTRY_USER: "),
        ("verify", {"IMAGE": BEFORE}, "set SIGNER: "),
        ("login", {}, "set CLOUD: "),
        ("login", {"CLOUD": "moon"}, "CLOUD is moon: there is no such overlay."),
        ("login", {"CLOUD": "aws"}, "set IDENTITY: "),
        ("login", {"CLOUD": "aws", "IDENTITY": "role"}, "there is no identity token: "),
        ("login", {"CLOUD": "gcp"}, "set IDENTITY_PROVIDER: "),
        ("migrate", {"IMAGE": IMAGE}, "set CLOUD: "),
        ("plan", {"CLOUD": "aws"}, "copy it from backend.tf.example"),
        ("apply", {"CLOUD": "aws"}, "plan.sh comes first"),
        ("sbom", {}, "build.sh comes first"),
        ("scan", {}, "sbom.sh comes first"),
        ("rollout", {}, "migrate.sh comes first"),
    ],
)
def test_step_names_the_missing_setting(runner, step, environment, said):
    for name in ("aws", "gcloud"):
        runner.program(name)
    assert said in runner.refuses(step, **environment)


def test_on_aws_the_token_becomes_credentials_of_an_hour(runner):
    runner.program("aws", "echo ID SECRET SESSION")
    runner.succeeds("login", CLOUD="aws", ID_TOKEN=TOKEN, **OUTPUTS)
    assert runner.read("aws").splitlines()[1:] == [
        "aws_access_key_id = ID",
        "aws_secret_access_key = SECRET",
        "aws_session_token = SESSION",
    ]
    assert f"AWS_REGION={manifests.told('aws')['kube_region']}" in runner.read("env")


def test_on_google_cloud_programs_exchange_the_token_themselves(runner):
    runner.program("gcloud")
    runner.succeeds("login", CLOUD="gcp", ID_TOKEN=TOKEN, **OUTPUTS)
    assert '"audience": "//iam/ci"' in runner.read("gcp.json")
    project = manifests.told("gcp")["registry_url"].split("/")[1]
    assert f"GOOGLE_PROJECT={project}" in runner.read("env")
    assert calls_of(runner, "gcloud")[0].startswith("gcloud auth login --quiet --cred-file")


def test_google_cloud_programs_refresh_github_tokens(runner):
    runner.program("gcloud")
    url = "https://token.example.com?x=1"
    given = {"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": TOKEN}
    done = runner.run("login", CLOUD="gcp", **given, **OUTPUTS)
    assert json.loads(runner.read("gcp.json"))["credential_source"] == {
        "url": f"{url}&audience=//iam/ci",
        "headers": {"Authorization": f"Bearer {TOKEN}"},
        "format": {"type": "json", "subject_token_field_name": "value"},
    }
    assert stat.S_IMODE((runner.state / "gcp.json").stat().st_mode) == 0o600
    assert TOKEN not in "".join([done.stdout, done.stderr, *runner.calls])


def test_github_state_is_in_the_temporary_folder(runner, tmp_path):
    runner.succeeds("login", CLOUD="digitalocean", CI_STATE="", RUNNER_TEMP=str(tmp_path / "temp"))
    assert (tmp_path / "temp/ci/bin").is_dir()
    assert not (runner.checkout / "var").exists()


def test_github_token_is_limited_to_its_cloud(runner):
    runner.program("aws", "echo ID SECRET SESSION")
    runner.program("curl", f'cat >/dev/null; echo \'{{"value": "{TOKEN}"}}\'')
    url = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://token.example.com?x=1"}
    runner.succeeds("login", CLOUD="aws", ACTIONS_ID_TOKEN_REQUEST_TOKEN=TOKEN, **url, **OUTPUTS)
    assert runner.read("id-token") == TOKEN
    assert calls_of(runner, "curl")[0].endswith("?x=1&audience=sts.amazonaws.com")


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_tokens_are_in_private_files_not_in_arguments(runner, cloud):
    runner.program("aws", "echo ID SECRET SESSION")
    runner.program("gcloud")
    done = runner.run("login", CLOUD=cloud, ID_TOKEN=TOKEN, **OUTPUTS)
    assert TOKEN not in "".join([done.stdout, done.stderr, *runner.calls])
    modes = {stat.S_IMODE(path.stat().st_mode) for path in runner.state.iterdir() if path.is_file()}
    assert modes == {0o600}


@pytest.mark.parametrize(
    ("repository", "user"),
    [
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com/leadgen", "AWS"),
        ("europe-west3-docker.pkg.dev/example-project/leadgen", "oauth2accesstoken"),
        ("ghcr.io/example/leadgen", "someone"),
    ],
)
def test_each_registry_gets_the_matching_user_name(runner, repository, user):
    runner.program("aws", "echo password")
    runner.program("gcloud", "echo password")
    given = {"REGISTRY_USER": "someone", "REGISTRY_PASSWORD": "password"}
    runner.succeeds("registry", IMAGE_REPOSITORY=repository, **given)
    host = repository.split("/")[0]
    assert calls_of(runner, "docker") == [f"docker login --username {user} --password-stdin {host}"]


def test_a_fetched_program_is_used_only_if_it_is_the_pinned_one(runner):
    fetched = '#!/bin/sh\necho fetched >>"$CALLS"\n'
    (runner.programs / "cosign").unlink()
    runner.program("curl", f"cat >\"${{@: -2:1}}\" <<'X'\n{fetched}X\n")
    runner.program("uname", "echo Linux x86_64")
    assert "is not what tools.txt pins" in runner.refuses("verify", IMAGE=IMAGE, COSIGN_KEY="k")
    pin = f"cosign 3 {hashlib.sha256(fetched.encode()).hexdigest()} https://example.com/cosign\n"
    (runner.checkout / "deploy/ci/tools.txt").write_text(pin)
    runner.succeeds("verify", IMAGE=IMAGE, COSIGN_KEY="k")
    assert runner.calls[-1] == "fetched"


def planned(runner, change):
    root = runner.checkout / "deploy/terraform/roots/aws"
    for name in ("backend.tf", "terraform.tfvars"):
        (root / name).touch()
    answers = {
        "show": f"echo '{{\"resource_changes\": [{change}]}}'",
        "plan": 'last="${@: -1}"; touch "${last#*=}"',
        "overlay_env": "echo kube_cluster=made",
    }
    cases = "".join(f"*{said}*) {answer} ;; " for said, answer in answers.items())
    runner.program("terraform", f'case "$*" in {cases}esac\n')


def test_plan_is_checked_by_policy_and_applied_unchanged(runner):
    planned(runner, "")
    runner.succeeds("plan", CLOUD="aws")
    runner.succeeds("apply", CLOUD="aws")
    verbs = [call.split()[2] for call in calls_of(runner, "terraform")]
    assert verbs == ["init", "validate", "plan", "show", "apply", "output", "output"]
    outputs = runner.checkout / "deploy/kubernetes/overlays/aws/terraform.env"
    assert outputs.read_text() == "kube_cluster=made\n"
    assert "plan.sh comes first" in runner.refuses("apply", CLOUD="aws")


def test_a_plan_that_breaks_the_policy_is_not_applied(runner):
    values = '"mode": "managed", "type": "aws_iam_access_key", "change": {"after": {}}'
    planned(runner, '{"address": "aws_iam_access_key.ci", ' + values + "}")
    said = runner.refuses("plan", CLOUD="aws")
    assert "aws_iam_access_key" in said
