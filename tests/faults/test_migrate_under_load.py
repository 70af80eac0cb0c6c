"""The next release migrates the ledger while this one serves: nobody is turned away."""

import subprocess
import sys
import time
from contextlib import contextmanager

import psycopg
import pytest

from tests.deployment import ROOT
from tests.faults.load import loading
from tests.faults.system import accounted_for
from tests.stack import running

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow_faults,
    pytest.mark.xdist_group("faults"),
]

LONG_READ = 6


@pytest.fixture(scope="module")
def roles(system, folder):
    with running(folder, system.environment) as started:
        yield started


@contextmanager
def migrating(system, *names):
    """Run the next release's ``migrate`` beside what is done here; it succeeds."""
    settings = {"DJANGO_SETTINGS_MODULE": "tests.faults.next_release.settings"}
    with subprocess.Popen(
        [sys.executable, "manage.py", "migrate", "-v0", *names],
        env=system.environment | settings,
        cwd=ROOT,
    ) as process:
        yield
        assert process.wait(60) == 0


@pytest.fixture
def grown(system, roles):
    """A ledger with something in it, as this release made it."""
    with migrating(system, "next_release", "zero"):
        system.plant(5_000)


def test_tables_grow_under_load(system, roles, grown, figures):
    with loading(roles.url, system.public_id, system.slug) as load:
        load.go_on(3)
        started = time.monotonic()
        with migrating(system):
            pass
        figures["migrated s"] = time.monotonic() - started
        load.go_on(3)
    figures |= load.figures()
    assert set(load.statuses) <= {201, 202, 303}
    assert load.failed == 0
    assert load.longest_gap < 2
    accounted_for(system, load)


def test_submissions_are_spooled_while_a_migration_waits(system, roles, grown, figures):
    with loading(roles.url, system.public_id, system.slug) as load:
        load.go_on(3)
        with psycopg.connect(system.server.url) as report, migrating(system):
            report.execute("SELECT count(*) FROM capture_submission")
            load.go_on(LONG_READ)
            report.rollback()
            load.until_stored(time.monotonic(), seconds=20)
    figures |= load.figures()
    assert set(load.statuses) <= {201, 202, 303}
    assert load.statuses[202] > 0
    assert load.failed == 0
    assert load.longest_gap < 3
    accounted_for(system, load)
