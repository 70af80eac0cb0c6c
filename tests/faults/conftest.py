import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from dev import postgres, state, unprivileged
from tests.stack import running

ROOT = Path(__file__).resolve().parents[2]
MAKE_FORM = """
import django, sys; django.setup()
from tests.factories import make_form, make_pipeline
make_pipeline()
print(make_form(slug=sys.argv[1]).public_id)
"""


@dataclass
class Server:
    """A PostgreSQL of the tests' own, to be killed, frozen and started again."""

    data: Path
    url: str = ""
    running: ExitStack = field(default_factory=ExitStack)

    def start(self):
        self.url = self.running.enter_context(postgres.server("pg", durable=True))

    def stop(self):
        self.running.close()

    def kill(self):
        self.signal(signal.SIGKILL)
        self.running.close()

    def signal(self, signum):
        """Signal the postmaster and its children."""
        parent = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        listed = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        for pid in (parent, *map(int, listed.split())):
            unprivileged.end(pid, signum)

    def query(self, statement):
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement).fetchall()


@dataclass
class System:
    """The processes under fire, and what is left in ledger and storage afterwards."""

    server: Server
    environment: dict[str, str]
    storage: Path
    public_id: str = ""

    def python(self, *arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    def spooled(self):
        return [path.name for path in (self.storage / "spool").glob("2*/*.json")]

    def ledger(self):
        """Every receipt that the ledger knows, second ones of a submission included."""
        rows = self.server.query(
            "SELECT id FROM capture_submission UNION ALL SELECT receipt FROM capture_repeat"
        )
        return [str(receipt) for (receipt,) in rows]

    def settled(self, seconds=60):
        """Wait until nothing is spooled or waits for intake; return what reconcile says."""
        waiting = "SELECT 1 FROM capture_submission WHERE state IN ('received', 'accepted') LIMIT 1"
        deadline = time.monotonic() + seconds
        while self.spooled() or self.server.query(waiting):
            assert time.monotonic() < deadline, f"{len(self.spooled())} are still spooled"
            time.sleep(0.1)
        return self.python("manage.py", "reconcile")


@pytest.fixture(scope="module")
def server():
    # Not tmp_path: PostgreSQL may run as another user, who must be able to enter.
    folder = Path(tempfile.mkdtemp(prefix="leadgen-faults-"))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        for module in (state, postgres, unprivileged):
            patch.setattr(module, "VAR", folder)
        recall, keep = state.remembered, state.remember
        patch.setattr(postgres, "remembered", lambda key, other: recall(key, other, folder))
        patch.setattr(postgres, "remember", lambda key, value: keep(key, value, folder))
        made = Server(folder / "pg")
        made.start()
        yield made
        made.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def system(server, tmp_path):
    """A migrated database with a form of this test on the air, and folders for the rest."""
    (tmp_path / "broker").mkdir()
    limits = {"CAPTURE_FLOOD_PER_MINUTE": "1000000", "CAPTURE_LIMIT_PER_MINUTE": "1000000"}
    backends = {
        "DEBUG": "true",
        "DJANGO_SETTINGS_MODULE": "leadgen.settings",
        "DATABASE_URL": server.url,
        "BROKER_URL": f"filesystem://{tmp_path}/broker",
        "STORAGE_URL": f"file://{tmp_path}/storage",
        "PYTHONPATH": str(ROOT),
    }
    made = System(server, {**os.environ, **backends, **limits}, tmp_path / "storage")
    migrated = made.python("manage.py", "migrate", "-v0")
    assert migrated.returncode == 0, migrated.stderr
    form = made.python("-c", MAKE_FORM, secrets.token_hex(4))
    assert form.returncode == 0, form.stderr
    made.public_id = form.stdout.strip()
    return made


@pytest.fixture
def stack(system, tmp_path):
    with running(tmp_path, system.environment) as started:
        yield started
