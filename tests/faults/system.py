"""The processes under fire, and what is left in ledger and storage afterwards."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import boto3

from tests.deployment import ROOT, Deployment
from tests.faults.load import Load
from tests.faults.parts import Server

LIMITS = {"CAPTURE_FLOOD_PER_MINUTE": "1000000", "CAPTURE_LIMIT_PER_MINUTE": "1000000"}
MAKE_FORM = """
import django, sys; django.setup()
from tests.factories import make_form, make_pipeline
make_pipeline()
print(make_form(slug=sys.argv[1]).public_id)
"""
PLANT = """
import django, sys; django.setup()
from leadgen.forms.models import Form
from tests.factories import make_submissions
make_submissions(
    Form.objects.first(), [{"email": f"p{n}@example.com"} for n in range(int(sys.argv[1]))]
)
"""
WAITING = (
    "SELECT count(*) FROM capture_submission"
    " WHERE state IN ('received', 'accepted') AND parked_at IS NULL"
)
OLDEST = (
    "SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0) FROM capture_submission"
    " WHERE state IN ('received', 'accepted') AND parked_at IS NULL"
)


@dataclass
class System:
    """A migrated database with a form on the air, on the backends of its environment."""

    server: Server
    environment: dict[str, str]
    storage: Path
    slug: str = "drill"
    public_id: str = ""
    figures: dict[str, object] = field(default_factory=dict)

    def python(self, *arguments):
        return Deployment(self.environment).python(*arguments)

    def prepare(self):
        for arguments in (["manage.py", "migrate", "-v0"], ["-c", MAKE_FORM, self.slug]):
            done = self.python(*arguments)
            assert done.returncode == 0, done.stderr
        self.public_id = done.stdout.strip()

    def plant(self, submissions):
        """Let so many submissions wait for intake."""
        done = self.python("-c", PLANT, str(submissions))
        assert done.returncode == 0, done.stderr

    def waiting(self):
        """How many submissions wait for intake."""
        return self.server.query(WAITING)[0][0]

    def oldest_waiting(self, seconds):
        """Watch for so long; return the highest age, in seconds, of what waited for intake."""
        deadline, worst = time.monotonic() + seconds, 0.0
        while time.monotonic() < deadline:
            worst = max(worst, float(self.server.query(OLDEST)[0][0]))
            time.sleep(0.2)
        return worst

    def spooled(self):
        """The names of what waits in the storage."""
        url = self.environment["STORAGE_URL"]
        if url.startswith("file:"):
            return [path.name for path in (self.storage / "spool").glob("2*/*.json")]
        parts = urlsplit(url)
        client = boto3.client(
            "s3",
            endpoint_url=parts.query.split("&")[0].removeprefix("endpoint_url="),
            region_name="us-east-1",
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=parts.netloc, Prefix="spool/2"
        )
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def ledger(self):
        """Every receipt that the ledger knows, second ones of a submission included."""
        rows = self.server.query(
            "SELECT id FROM capture_submission UNION ALL SELECT receipt FROM capture_repeat"
        )
        return [str(receipt) for (receipt,) in rows]

    def settled(self, seconds=60):
        """Wait until nothing is spooled or waits for intake; return what reconcile says."""
        deadline = time.monotonic() + seconds
        while self.spooled() or self.waiting():
            left = f"{len(self.spooled())} are spooled, {self.waiting()} wait"
            assert time.monotonic() < deadline, left
            time.sleep(0.1)
        return self.python("manage.py", "reconcile")


def accounted_for(system: System, load: Load, seconds: float = 60) -> float:
    """Check that every receipt given is in the ledger once, and that the ledger balances.

    Return after how many seconds nothing waited any more.
    """
    started = time.monotonic()
    balance = system.settled(seconds)
    settled = time.monotonic() - started
    assert balance.returncode == 0, balance.stdout + balance.stderr
    ledger = system.ledger()
    assert len(ledger) == len(set(ledger))
    assert set(load.receipts) - set(ledger) == set()
    return settled


def environment(server: Server, backends: dict[str, str]) -> dict[str, str]:
    """Return the environment of all roles."""
    return {
        **os.environ,
        "DEBUG": "true",
        "DJANGO_SETTINGS_MODULE": "leadgen.settings",
        "DATABASE_URL": server.url,
        "PYTHONPATH": str(ROOT),
        **LIMITS,
        **backends,
    }
