"""The runbook's own script, between two PostgreSQL servers with logical replication."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from dev import postgres
from tests.flows.waiting import eventually
from tests.servers import postgresql

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "deploy" / "scripts" / "failover" / "failover.sh"
LEAD = "import django; django.setup(); from tests.factories import make_lead; print(make_lead().pk)"
ACTIVE_SLOTS = "SELECT count(*) FROM pg_replication_slots WHERE active"
FREE_SLOTS = "SELECT count(*) FROM pg_replication_slots"
BROKEN_TABLE = "UPDATE leads_contact SET name = 'changed behind its back'"

pytestmark = pytest.mark.processes


class Pair:
    """The database in use and the one to come."""

    def __init__(self, source, target):
        self.source, self.target = source, target

    def run(self, step, **environment):
        path = f"{postgres.binaries()}:{os.environ['PATH']}"
        ends = {"SOURCE": self.source, "TARGET": self.target}
        return run([SCRIPT, step], PATH=path, TIMEOUT="60", **ends, **environment)

    def steps(self, *names):
        for name in names:
            done = self.run(name)
            assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def until_copied(self, seconds=60):
        deadline = time.monotonic() + seconds
        while not self.run("status").stdout.startswith("0 tables"):
            assert time.monotonic() < deadline
            time.sleep(0.2)


def run(command, **environment):
    return subprocess.run(
        list(map(str, command)),
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def manage(url, *arguments):
    ours = {"DEBUG": "true", "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "leadgen.settings"}
    done = run([sys.executable, *arguments], **ours, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def query(url, statement):
    with psycopg.connect(url, autocommit=True) as connection:
        answer = connection.execute(statement)
        return next(iter(answer.fetchall()), [None])[0] if answer.description else None


def query_writing(url, statement):
    """Also on a frozen database."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(statement)


@pytest.fixture(scope="module")
def servers():
    with ExitStack() as stack:
        urls = [
            stack.enter_context(postgresql(f"failover-{name}", wal_level="logical"))
            for name in ("one", "two")
        ]
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda url: manage(url, "manage.py", "migrate", "-v0"), urls))
        yield urls


@pytest.fixture
def pair(servers):
    """Both migrated and without rows."""
    for url in servers:
        for table in ("leads_lead", "leads_contact", "leads_pipeline"):
            query(url, f"TRUNCATE {table} CASCADE")
    yield Pair(*servers)
    Pair(*servers).run("thaw")


def test_fail_over_copies_rows_sequences_and_later_writes(pair):
    first = int(manage(pair.source, "-c", LEAD))
    pair.steps("prepare")
    pair.until_copied()
    later = int(manage(pair.source, "-c", LEAD))
    said = pair.steps("freeze", "cutover")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        query(pair.source, BROKEN_TABLE)
    assert "2  leads_lead, the same on both ends" in said
    assert int(manage(pair.target, "-c", LEAD)) == max(first, later) + 1
    assert query(pair.source, FREE_SLOTS) == 0


def test_fail_back_copies_rows_written_on_the_target(pair):
    manage(pair.source, "-c", LEAD)
    pair.steps("prepare")
    pair.until_copied()
    pair.steps("freeze", "cutover")
    query(pair.target, "UPDATE events_event SET transaction = transaction + 1000000000")
    manage(pair.target, "manage.py", "rebase_events")
    before = int(manage(pair.target, "-c", LEAD))
    pair.steps("reverse")
    back = Pair(pair.target, pair.source)
    back.until_copied()
    after = int(manage(pair.target, "-c", LEAD))
    said = back.steps("freeze", "cutover")
    assert "3  leads_lead, the same on both ends" in said
    assert query(pair.source, "SELECT max(id) FROM leads_lead") == after > before
    back.steps("thaw")


def test_the_one_in_use_is_never_emptied(pair):
    manage(pair.source, "-c", LEAD)
    manage(pair.target, "-c", LEAD)
    refusals = [pair.run("reverse")]
    query(pair.source, "CREATE PUBLICATION leadgen_failover")
    pair.steps("freeze")
    refusals.append(pair.run("reverse"))
    query_writing(pair.source, "DROP PUBLICATION leadgen_failover")
    refusals.append(pair.run("reverse"))
    assert [done.returncode for done in refusals] == [1, 1, 1]
    assert all("cutover first" in done.stderr for done in refusals)
    assert query(pair.source, "SELECT count(*) FROM leads_lead") == 1


def test_freeze_is_refused_while_others_may_write(pair):
    query(pair.source, "CREATE ROLE other LOGIN PASSWORD 'made-up'")
    query(pair.source, "GRANT INSERT ON capture_submission TO other")
    with psycopg.connect(pair.source, user="other", password="made-up"):
        done = pair.run("freeze")
    query(pair.source, "DROP OWNED BY other")
    assert done.returncode == 1
    assert "others who may write are connected, end them or set ROLE: other" in done.stderr
    assert (
        "is not the one that the application logs in as" in pair.run("freeze", ROLE="other").stderr
    )
    query(pair.source, "DROP ROLE other")


def test_replication_with_a_lost_slot_is_prepared_again(pair):
    pair.steps("prepare")
    pair.until_copied()
    query(pair.target, "ALTER SUBSCRIPTION leadgen_failover DISABLE")
    assert "nothing is replicated" in pair.run("status").stderr
    eventually(lambda: query(pair.source, ACTIVE_SLOTS) == 0, seconds=30)
    query(pair.source, "SELECT pg_drop_replication_slot('leadgen_failover')")
    query(pair.target, "ALTER SUBSCRIPTION leadgen_failover ENABLE")
    assert "the source has no replication slot" in pair.run("status").stderr
    pair.steps("thaw")
    assert query(pair.target, "SELECT count(*) FROM pg_subscription") == 0


def test_aborted_replication_starts_again(pair):
    manage(pair.source, "-c", LEAD)
    pair.steps("prepare")
    pair.until_copied()
    query(pair.target, "ALTER SUBSCRIPTION leadgen_failover DISABLE")
    query(pair.target, "TRUNCATE leads_lead, leads_contact, leads_pipeline CASCADE")
    assert "nothing is replicated" in pair.run("status").stderr
    pair.steps("thaw", "prepare")
    pair.until_copied()
    pair.steps("freeze", "cutover")


def test_failed_preparation_is_reported_and_repeatable(pair):
    manage(pair.source, "-c", LEAD)
    failed = pair.run("prepare", REACH="postgresql://127.0.0.1:1/nowhere")
    assert failed.returncode == 1
    assert "cannot subscribe to the one in use: see REACH" in failed.stderr
    assert "nothing is replicated: failover.sh prepare" in pair.run("status").stderr
    pair.steps("prepare")
    pair.until_copied()
    assert "the target is not empty" in pair.run("prepare").stderr
    pair.steps("freeze", "cutover")


def test_cutover_killed_between_two_steps_is_repeatable(pair):
    manage(pair.source, "-c", LEAD)
    pair.steps("prepare")
    pair.until_copied()
    pair.steps("freeze")
    query(pair.target, "DROP SUBSCRIPTION leadgen_failover")
    said = pair.steps("cutover")
    assert "1  leads_lead, the same on both ends" in said
    assert pair.run("cutover").returncode == 1


def test_cutover_to_a_differing_target_is_refused(pair):
    manage(pair.source, "-c", LEAD)
    pair.steps("prepare")
    pair.until_copied()
    query(pair.target, BROKEN_TABLE)
    pair.steps("freeze")
    done = pair.run("cutover")
    assert done.returncode == 1
    assert "leads_contact|1|" in done.stderr
    pair.steps("thaw")
    query(pair.source, BROKEN_TABLE)


def test_a_source_that_is_not_frozen_is_not_cut_over(pair):
    done = pair.run("cutover")
    assert done.returncode == 1
    assert "can still be written: failover.sh freeze first" in done.stderr


def test_a_target_in_use_is_refused(pair):
    manage(pair.target, "-c", LEAD)
    done = pair.run("prepare")
    assert done.returncode == 1
    assert "the target is not empty: leads_contact" in done.stderr


def test_a_server_without_logical_replication_is_refused(pair, settings):
    done = Pair(settings.DATABASE_URL, pair.target).run("prepare")
    assert done.returncode == 1
    assert "wal_level is not logical" in done.stderr
