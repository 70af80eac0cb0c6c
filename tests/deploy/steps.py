import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DIGEST = "sha256:" + "a" * 64
IMAGE = f"registry.example.com/leadgen@{DIGEST}"
BEFORE = "registry.example.com/leadgen@sha256:" + "b" * 64
_PROGRAM = '#!/bin/bash\nprintf \'%s\\n\' "$(basename "$0") $*" >>"$CALLS"\n'
KUBECTL = """
case " $* " in
  *" kustomize "*) exec "$KUBECTL" "$@" ;;
  *" get deployment web "*) printf 'name=before\\nimage=%s\\n' "$RUNNING" ;;
  *" get deployments "*) printf 'deployment.apps/web\\ndeployment.apps/worker\\n' ;;
  *" get job/"*)
    # LEFT is a Job of the same name from before.
    if grep -q component=migrate "$CALLS"; then echo "Job $JOB"; else echo "${LEFT:-}"; fi ;;
  *" rollout "*) exit "$ROLLOUT" ;;
esac
"""


class Runner:
    """A checkout of its own, and programs that write down how they are called."""

    def __init__(self, folder):
        self.checkout, self.programs = folder / "checkout", folder / "bin"
        self.state, self._calls = folder / "state", folder / "calls"
        # Without what a deployment's own Terraform would plan with: no test may reach a cloud.
        own = ("backend.tf", "terraform.tfvars", ".terraform*")
        unread = shutil.ignore_patterns("__pycache__", *own)
        shutil.copytree(ROOT / "deploy", self.checkout / "deploy", ignore=unread)
        self.programs.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", "A release")

    def git(self, *arguments):
        who = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
        done = subprocess.run(
            ["git", *who, *arguments], cwd=self.checkout, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def program(self, name, body=""):
        path = self.programs / name
        path.write_text(_PROGRAM + body)
        path.chmod(0o755)

    def run(self, step, **environment):
        given = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "HOME": str(self.checkout.parent),
            "CI_STATE": str(self.state),
            "CALLS": str(self._calls),
            "KUBECTL": os.environ.get("KUBECTL") or shutil.which("kubectl") or "kubectl",
            "RELEASE": "r7",
            "POLL_SECONDS": "0.05",
        }
        return subprocess.run(
            [self.checkout / "deploy/ci" / f"{step}.sh"],
            env=given | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def succeeds(self, step, **environment):
        done = self.run(step, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refuses(self, step, **environment):
        done = self.run(step, **environment)
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stderr

    @property
    def calls(self):
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    def read(self, name):
        return (self.state / name).read_text()
