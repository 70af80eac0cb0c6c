"""What the steps do with a cluster; the cluster is a program that writes down what it is told."""

import json
import re
import shutil
import threading
from base64 import b64decode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.deploy.steps import BEFORE, DIGEST, IMAGE, KUBECTL, Runner

FORM = "frm_canary"
# A server that answers whatever is asked of it, and a checkout that writes as ever.
LOCKED = """
case " $* " in
  *" fetch "*) /usr/bin/git update-ref FETCH_HEAD HEAD ;;
  *" ls-remote "* | *" push "*) ;;
  *) exec /usr/bin/git "$@" ;;
esac
"""
SIGNED = {"SIGNER": "someone", "SIGNER_ISSUER": "https://issuer.example.com"}
RELEASE = {
    "CLOUD": "aws",
    "IMAGE": IMAGE,
    "RUNNING": BEFORE,
    "JOB": "SuccessCriteriaMet Complete",
    "ROLLOUT": "0",
    "SMOKE_SECONDS": "1",
    **SIGNED,
}


@pytest.fixture
def runner(tmp_path):
    made = Runner(tmp_path)
    made.program("kubectl", KUBECTL)
    made.program("cosign")
    return made


@contextmanager
def serving(handler):
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def deployment_server(*answers, health=200, internal=404):
    """A deployment that gives the answers to submissions in turn, the last one for ever."""
    given = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._say(health if self.path == "/health/live" else internal, {})

        def do_POST(self):
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert sent == {"fields": {"email": "canary@example.com"}}
            assert self.path == f"/api/v1/public/forms/{FORM}/submissions"
            status, receipt = given.pop(0) if len(given) > 1 else given[0]
            self._say(status, {"receipt": receipt})

        def _say(self, status, body):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *arguments):
            pass

    with serving(Handler) as port:
        yield {"PUBLIC_URL": f"http://127.0.0.1:{port}"}


@contextmanager
def credential_server():
    """Serve 401 to every request; yield the port and the credentials received."""
    seen = set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            given = self.headers["Authorization"]
            seen.add(b64decode(given.removeprefix("Basic ")).decode() if given else None)
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with serving(Handler) as port:
        yield port, seen


def verbs(runner):
    """The calls without what is the same in all."""
    same = re.compile(r"--(filename|namespace) \S+ |app\.kubernetes\.io/")
    said = [same.sub("", call).split(" --output")[0] for call in runner.calls]
    return [call for call in said if "kustomize" not in call]


def images(runner):
    return set(re.findall(r"registry\.example\.com/leadgen@\S+", runner.read("manifests.yaml")))


def test_a_release_is_verified_then_migrated_then_rolled_out(runner):
    with deployment_server(health=200) as there:
        runner.succeeds("deploy", **RELEASE, **there)
    assert verbs(runner) == [
        "cosign verify",
        "kubectl get deployment web --ignore-not-found",
        "kubectl apply --selector name!=leadgen,component!=namespace",
        "kubectl get job/migrate-r7 --ignore-not-found",
        "kubectl apply --selector name=leadgen,component=migrate",
        "kubectl get job/migrate-r7 --ignore-not-found",
        "kubectl apply --selector component notin (migrate, namespace)",
        "kubectl get deployments --selector name=leadgen",
        "kubectl rollout status deployment.apps/web --timeout 15m",
        "kubectl rollout status deployment.apps/worker --timeout 15m",
    ]


def test_applied_manifests_name_the_image_by_digest(runner):
    with deployment_server() as there:
        runner.succeeds("deploy", **RELEASE, **there)
    assert images(runner) == {IMAGE}
    assert all(call.endswith(IMAGE) for call in runner.calls if call.startswith("cosign"))


def test_unsigned_image_is_not_deployed(runner):
    runner.program("cosign", "exit 1")
    assert runner.run("deploy", **RELEASE).returncode != 0
    assert not any(call.startswith("kubectl") for call in runner.calls)


def test_failed_migration_does_not_change_running_roles(runner):
    said = runner.refuses("deploy", **RELEASE | {"JOB": "FailureTarget Failed"})
    assert "job/migrate-r7 failed; what runs was not changed" in said
    assert not any("notin (migrate" in call or "rollout" in call for call in runner.calls)


def test_waiting_for_a_migration_is_limited(runner):
    said = runner.refuses("migrate", **RELEASE | {"JOB": ""}, MIGRATE_SECONDS="0")
    assert "did not end in time" in said


@pytest.mark.parametrize("left", ["Job FailureTarget Failed", "Job SuccessCriteriaMet Complete"])
def test_a_release_is_migrated_again_under_its_name(runner, left):
    runner.succeeds("migrate", **RELEASE, LEFT=left)
    asked = [call for call in verbs(runner) if "job/" in call or "=migrate" in call]
    assert [call.split()[1] for call in asked] == ["get", "delete", "apply", "get"]
    assert asked[1].startswith("kubectl delete job/migrate-r7")


def test_running_migration_is_neither_deleted_nor_repeated(runner):
    said = runner.refuses("migrate", **RELEASE, LEFT="Job ", MIGRATE_SECONDS="0")
    assert "job/migrate-r7 of an earlier run did not end in time" in said
    assert not any(" delete " in call or "=migrate" in call for call in runner.calls)


def test_failed_smoke_test_restores_the_previous_release(runner):
    with deployment_server(health=500) as there:
        said = runner.refuses("deploy", **RELEASE, **there)
    assert "the one before it runs again" in said
    assert images(runner) == {BEFORE}
    assert verbs(runner)[-1].startswith("kubectl rollout status")
    assert sum("component=migrate" in call for call in runner.calls) == 1


def test_failed_roll_out_restores_the_previous_release(runner):
    assert runner.run("deploy", **RELEASE | {"ROLLOUT": "1"}).returncode != 0
    assert images(runner) == {BEFORE}


def test_the_first_release_has_nothing_to_go_back_to(runner):
    runner.succeeds("migrate", **RELEASE)
    (runner.state / "previous.env").write_text("")
    assert "nothing ran before this release" in runner.refuses("rollback", CLOUD="aws")


def test_rollback_accepts_an_older_release(runner):
    older = IMAGE.replace(DIGEST, "sha256:" + "c" * 64)
    runner.succeeds("rollback", PREVIOUS_IMAGE=older, PREVIOUS_RELEASE="r3", **RELEASE)
    assert images(runner) == {older}
    assert "name: migrate-r3" in runner.read("manifests.yaml")


@pytest.mark.parametrize("image", ["", "registry.example.com/leadgen:latest", f"leadgen@{DIGEST}0"])
def test_an_image_without_its_digest_is_refused(runner, image):
    assert "set IMAGE to an image by digest" in runner.refuses("verify", IMAGE=image)


def test_invalid_release_name_is_refused_before_any_call(runner):
    said = runner.refuses("migrate", **RELEASE | {"RELEASE": "Release_7"})
    assert "RELEASE is Release_7: use" in said
    assert runner.calls == []


def test_smoke_test_finds_its_submission_in_the_ledger(runner):
    with deployment_server((201, "one"), (200, "one")) as there:
        said = runner.succeeds("smoke", CLOUD="aws", CANARY_FORM=FORM, **there)
    assert "one is in the ledger" in said


@pytest.mark.parametrize("status", [200, 401, 503])
def test_published_internal_pages_fail_the_smoke_test(runner, status):
    with deployment_server(internal=status) as there:
        said = runner.refuses("smoke", SMOKE_SECONDS="0", **there)
    assert f"/health/ready answers {status}, not 404 302" in said


def test_smoke_test_waits_until_the_database_stores_it(runner):
    with deployment_server((202, "one"), (201, "one"), (200, "one")) as there:
        said = runner.succeeds("smoke", CLOUD="aws", CANARY_FORM=FORM, **there)
    assert "one is in the ledger" in said


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([(422, "")], "answers 422, not 201 200"),
        ([(201, "one"), (200, "two")], "the same submission has two receipts, one and two"),
    ],
)
def test_unstored_submission_fails_the_smoke_test(runner, answers, said):
    with deployment_server(*answers) as there:
        failed = runner.refuses("smoke", CANARY_FORM=FORM, SMOKE_SECONDS="0", **there)
    assert said in failed


def test_no_pipeline_connects_to_a_cluster_on_digitalocean(runner):
    assert "set DELIVERY=gitops" in runner.refuses("connect", CLOUD="digitalocean")
    assert runner.calls == []


def test_connect_step_is_skipped_for_gitops_delivery(runner):
    said = runner.succeeds("connect", CLOUD="digitalocean", DELIVERY="gitops")
    assert "nothing to connect to" in said
    assert runner.calls == []


def test_connect_requires_the_plugin_of_kubectl(runner):
    runner.program("gcloud")
    for name in ("bash", "basename", "dirname", "mkdir", "sed"):
        (runner.programs / name).symlink_to(shutil.which(name))
    given = {"CLOUD": "gcp", "GOOGLE_PROJECT": "example", "PATH": str(runner.programs)}
    said = runner.refuses("connect", **given)
    assert "gke-gcloud-auth-plugin is not installed on this runner" in said
    runner.program("gke-gcloud-auth-plugin")
    runner.succeeds("connect", **given)
    assert any("container clusters get-credentials" in call for call in runner.calls)


def test_unreadable_gitops_branch_is_an_error(runner, tmp_path):
    runner.git("remote", "add", "origin", str(tmp_path / "nowhere"))
    said = runner.refuses("gitops", **RELEASE | {"CLOUD": "digitalocean"})
    assert "origin cannot be read: set GITOPS_TOKEN" in said


def test_the_token_opens_the_branch_for_reading_as_for_writing(runner, tmp_path):
    runner.git("remote", "add", "origin", str(tmp_path / "nowhere"))
    runner.program("git", LOCKED)
    runner.succeeds("gitops", **RELEASE | {"CLOUD": "digitalocean", "GITOPS_TOKEN": "sesame"})
    asked = [call for call in runner.calls if re.search(r" (ls-remote|fetch|push) ", call)]
    assert [re.findall(r"ls-remote|fetch|push", call)[0] for call in asked] == [
        "ls-remote",
        "fetch",
        "push",
    ]
    assert all("credential.helper" in call and "sesame" not in call for call in asked)


def test_git_sends_only_the_given_token_to_the_server(runner):
    with credential_server() as (port, seen):
        runner.git("remote", "add", "origin", f"http://gitlab-ci-token:job@127.0.0.1:{port}/a.git")
        runner.git("config", "credential.helper", "!f() { echo username=a; echo password=b; }; f")
        runner.refuses("gitops", **RELEASE | {"CLOUD": "digitalocean", "GITOPS_TOKEN": "sesame"})
    assert seen == {None, "x-access-token:sesame"}


def test_gitops_delivery_appends_to_its_branch(runner, tmp_path):
    runner.git("init", "--quiet", "--bare", str(tmp_path / "origin"))
    runner.git("remote", "add", "origin", str(tmp_path / "origin"))
    runner.succeeds("deploy", **RELEASE | {"CLOUD": "digitalocean"})
    first = runner.git("ls-remote", "origin", "deployed").split()[0]
    runner.succeeds("deploy", **RELEASE | {"CLOUD": "digitalocean", "RELEASE": "r8"})
    runner.git("fetch", "--quiet", "origin", "deployed")
    runner.git("merge-base", "--is-ancestor", first, "FETCH_HEAD")
    asked = runner.git("show", "FETCH_HEAD:deploy/kubernetes/release/release.env")
    assert asked.splitlines()[1:] == ["name=r8", f"image={IMAGE}"]
    assert not any(call.startswith("kubectl") for call in runner.calls)
