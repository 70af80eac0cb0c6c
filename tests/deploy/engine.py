"""Docker and Compose as the drills use them."""

import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from dev.ports import any_free

ROOT = Path(__file__).resolve().parents[2]
LIMITS = {"CAPTURE_FLOOD_PER_MINUTE": "1000000", "CAPTURE_LIMIT_PER_MINUTE": "1000000"}
MAKE_FORM = """
import os; os.environ["DJANGO_SETTINGS_MODULE"] = "leadgen.settings"
import django; django.setup()
from leadgen.forms.models import Form, FormVersion
from leadgen.forms.format.definition import Definition, FieldDefinition
asked = (FieldDefinition("name", "text", "Name", fills="name"),
         FieldDefinition("email", "email", "Email", fills="email", required=True))
form = Form.objects.create(title="Drill", slug="drill")
form.published = FormVersion.objects.create(
    form=form, number=1, definition=Definition(title="Drill", fields=asked).to_json())
form.save()
print(form.public_id)
"""


def docker(*arguments: str, env: dict[str, str] | None = None) -> str:
    """Run a Docker command in the checkout; return what it printed, fail with what it said."""
    done = subprocess.run(
        ["docker", *arguments],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
    return done.stdout


def eventually(holds: Callable[[], bool], seconds: float) -> None:
    """Poll, not too often, until the condition holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(0.5)


@dataclass
class Deployment:
    """docker-compose.yml under a name and a port of its own, with limits fit for a load."""

    folder: Path
    port: int = field(default_factory=any_free)
    prometheus: int = field(default_factory=any_free)
    project: str = os.environ.get("COMPOSE_PROJECT_NAME", "leadgen-drill")
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def compose(self, *arguments: str) -> str:
        """Run a Compose command on this deployment."""
        return docker("compose", *arguments, env=self.environment())

    def upgrade(self) -> None:
        """Run upgrade.sh with a release that differs by a label."""
        ours = self.environment() | {"REVISION": secrets.token_hex(4)}
        subprocess.run(["deploy/compose/upgrade.sh"], cwd=ROOT, env=os.environ | ours, check=True)

    def environment(self) -> dict[str, str]:
        """Return what Compose reads: files, ports, the project's name."""
        override = self.folder / "limits.yml"
        web = {"environment": LIMITS, "build": {"args": {"REVISION": "${REVISION:-drill}"}}}
        override.write_text(json.dumps({"services": {"web": web}}))
        files = f"docker-compose.yml{os.pathsep}{override}"
        ports = {"PORT": str(self.port), "PROMETHEUS_PORT": str(self.prometheus)}
        ours = {"COMPOSE_PROJECT_NAME": self.project, "COMPOSE_FILE": files}
        return ports | ours | self.variables

    def state(self, service: str) -> dict[str, Any]:
        """What the engine knows of the service's container."""
        container = self.compose("ps", "--all", "--quiet", service).strip()
        state: dict[str, Any] = json.loads(docker("inspect", container))[0]["State"]
        return state

    def is_healthy(self, service: str) -> bool:
        return str(self.state(service)["Health"]["Status"]) == "healthy"

    def answers(self) -> bool:
        """Whether the web role says that it is ready."""
        try:
            with urlopen(f"{self.url}/health/ready", timeout=10) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def python(self, code: str) -> str:
        return self.compose("exec", "-T", "web", "python", "-c", code).strip()

    def query(self, statement: str) -> list[str]:
        """The rows of one column."""
        psql = ("psql", "--username=leadgen", "--dbname=leadgen", "-Atc", statement)
        return self.compose("exec", "-T", "postgres", *psql).split()

    def ledger(self) -> list[str]:
        """Every receipt that the ledger knows, second ones of a submission included."""
        return self.query(
            "SELECT id FROM capture_submission UNION ALL SELECT receipt FROM capture_repeat"
        )

    def balance(self) -> dict[str, Any]:
        """What ``reconcile`` says; it fails when a submission is unaccounted for."""
        told = self.compose("exec", "-T", "worker", "python", "manage.py", "reconcile", "--json")
        balance: dict[str, Any] = json.loads(told[told.index("\n{") :] if "\n{" in told else told)
        return balance
