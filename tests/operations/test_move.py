"""Under a trickle of submissions a deployment goes to other backends, and every receipt arrives."""

import re
import secrets
import time
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from leadgen.operations.transfer import copy, delta, read_only, tables
from leadgen.operations.transfer.errors import InUseError
from tests.faults.load import loading
from tests.servers import postgresql
from tests.stack import running

FURNISH = """
import django; django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from tests.factories import make_form, make_lead
make_lead()
for number in range(20):
    default_storage.save(f"uploads/{number}.bin", ContentFile(bytes([number]) * 5000))
print(make_form().public_id)
"""
PEOPLE = """
CREATE TABLE people (id int PRIMARY KEY, name text UNIQUE,
  boss_id int REFERENCES people DEFERRABLE INITIALLY DEFERRED)
"""
WAITING = "SELECT count(*) FROM capture_submission WHERE state IN ('received', 'accepted')"
RECEIPTS = "SELECT id FROM capture_submission UNION ALL SELECT receipt FROM capture_repeat"


@pytest.fixture(scope="module")
def other_server():
    with postgresql("move-target") as url:
        yield url


@pytest.fixture
def target(other_server, rabbitmq_url, s3_url):
    """An empty PostgreSQL, RabbitMQ and S3."""
    prefix = urlsplit(s3_url)._replace(path=f"/move-{secrets.token_hex(4)}").geturl()
    return {"DATABASE_URL": other_server, "BROKER_URL": rabbitmq_url, "STORAGE_URL": prefix}


@pytest.fixture
def source(empty_deployment, tmp_path):
    (tmp_path / "broker").mkdir()
    limits = {"CAPTURE_FLOOD_PER_MINUTE": "1000000", "CAPTURE_LIMIT_PER_MINUTE": "1000000"}
    empty_deployment.backends |= limits | {"BROKER_URL": f"filesystem://{tmp_path}/broker"}
    empty_deployment.manage("migrate", "-v0").check_returncode()
    return empty_deployment


def query(url, statement):
    with tables.connect(tables.parameters(url)) as link:
        return [value for (value,) in link.execute(statement).fetchall()]


def settled_ledger(target, promised, seconds=60):
    """Return all receipts once those promised are there, replayed from the spool, and worked."""
    deadline = time.monotonic() + seconds
    while True:
        ledger = [str(receipt) for receipt in query(target["DATABASE_URL"], RECEIPTS)]
        missing = set(promised) - set(ledger)
        if not missing and query(target["DATABASE_URL"], WAITING) == [0]:
            return ledger
        assert time.monotonic() < deadline, f"{len(missing)} receipts are missing"
        time.sleep(0.2)


def folder(tmp_path, name):
    (tmp_path / name).mkdir()
    return tmp_path / name


@pytest.mark.processes
def test_move_under_load_keeps_every_receipt(source, target, tmp_path):
    form = source.python("-c", FURNISH).stdout.strip()
    there = {f"TARGET_{name}": url for name, url in target.items()}
    with (
        running(folder(tmp_path, "old"), source.backends) as old,
        loading(old.url, form, visitors=2, rate=5) as before,
    ):
        before.until(receipts=10)
        moved = source.manage("move", **there)
        assert moved.returncode == 0, moved.stdout + moved.stderr
        with (
            running(folder(tmp_path, "new"), {**source.backends, **target}) as new,
            loading(new.url, form, visitors=2, rate=5) as after,
        ):
            after.until(receipts=10)
            before.until(receipts=10)
            early = source.manage("move", "--finish", **there)
            before.stopped.set()
            for role in list(old.processes):
                old.stop(role)
            finished = source.manage("move", "--finish", **there)
            assert finished.returncode == 0, finished.stdout + finished.stderr
            after.stopped.set()
            ledger = settled_ledger(target, before.receipts + after.receipts)
    assert len(ledger) == len(set(ledger))
    assert set(before.statuses) == {201, 202}
    assert "connections of the old deployment are open" in early.stderr
    assert re.search(r"The pause took \d+\.\d s", moved.stdout)
    assert "20  objects copied" in moved.stdout
    balance = source.manage("reconcile", **target)
    assert balance.returncode == 0, balance.stdout


@pytest.fixture
def pair(make_database):
    """Connections to two databases with a table of people who may have a boss."""
    with ExitStack() as stack:
        urls = [make_database(), make_database()]
        ends = [stack.enter_context(tables.connect(tables.parameters(url))) for url in urls]
        for end in ends:
            end.execute(PEOPLE)
        yield ends


def bring(source, target, since):
    """Bring the changes, as a move does; return how many rows were written."""
    (people,) = tables.tables(source)
    with tables.snapshot(source), target.transaction():
        written = delta.apply(source, target, people, since)
    assert tables.content(source, people) == tables.content(target, people)
    return written


def copied(source, target):
    (people,) = tables.tables(source)
    with tables.snapshot(source):
        since = delta.position(source)
        copy.copy_in(target, people, copy.read(source, people))
    return since


def test_delta_copies_only_rows_written_since_the_copy(pair):
    source, target = pair
    source.execute("INSERT INTO people SELECT g, 'P' || g FROM generate_series(1, 1000) g")
    since = copied(source, target)
    source.execute("UPDATE people SET name = 'changed' WHERE id = 7")
    source.execute("INSERT INTO people VALUES (1001, 'new', 1002), (1002, 'their boss', 1)")
    assert bring(source, target, since) == 3


def test_delta_deletes_rows_and_frees_their_unique_values(pair):
    source, target = pair
    source.execute("INSERT INTO people VALUES (1, 'Ada', 2), (2, 'Grace', 2), (3, 'Joan', 2)")
    since = copied(source, target)
    source.execute("DELETE FROM people WHERE id IN (1, 3)")
    source.execute("INSERT INTO people VALUES (4, 'Ada')")
    bring(source, target, since)
    assert target.execute("SELECT id FROM people ORDER BY id").fetchall() == [(2,), (4,)]


def test_delta_copies_rows_committed_after_the_copy(pair):
    source, target = pair
    with psycopg.connect(source.info.dsn, password=source.info.password) as slow:
        slow.execute("INSERT INTO people VALUES (1, 'late')")
        source.execute("INSERT INTO people VALUES (2, 'meanwhile')")
        since = copied(source, target)
        slow.commit()
    assert bring(source, target, since) == 2


def test_content_depends_on_values_and_not_on_their_order(pair):
    source, target = pair
    (people,) = tables.tables(source)
    source.execute("INSERT INTO people VALUES (1, 'a'), (2, 'b')")
    target.execute("INSERT INTO people VALUES (2, 'b'), (1, 'a')")
    assert tables.content(source, people) == tables.content(target, people)
    target.execute("UPDATE people SET name = 'c' WHERE id = 2")
    assert tables.content(source, people) != tables.content(target, people)


def test_freeze_ends_sessions_and_permits_only_reads(pair):
    source, _ = pair
    with psycopg.connect(source.info.dsn, password=source.info.password) as before:
        read_only.freeze(source)
        with pytest.raises(psycopg.OperationalError):
            before.execute("INSERT INTO people VALUES (1, 'a')")
    assert read_only.is_frozen(source)
    with psycopg.connect(source.info.dsn, password=source.info.password) as after:
        assert after.execute("SELECT count(*) FROM people").fetchone() == (0,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            after.execute("INSERT INTO people VALUES (1, 'a')")


@pytest.fixture
def rotated(pair):
    """A login that owns nothing and becomes the application's role, as after a rotation."""
    source, _ = pair
    owner, name = source.info.user, f"rotated_{secrets.token_hex(4)}"
    source.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'made-up' IN ROLE {owner}")
    source.execute(f"ALTER ROLE {name} SET role = {owner}")
    yield {"conninfo": source.info.dsn, "user": name, "password": "made-up", "autocommit": True}
    source.execute(f"DROP OWNED BY {name}")
    source.execute(f"DROP ROLE {name}")


def test_freeze_applies_to_the_role_that_logs_in(rotated):
    with psycopg.connect(**rotated) as before, psycopg.connect(**rotated) as ours:
        read_only.freeze(ours)
        assert read_only.is_frozen(ours)
        with pytest.raises(psycopg.OperationalError):
            before.execute("INSERT INTO people VALUES (1, 'a')")
        with psycopg.connect(**rotated) as after:
            assert read_only.sessions(ours) == 1
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                after.execute("INSERT INTO people VALUES (1, 'a')")


def test_freeze_refuses_a_writing_session_of_another_role(pair, rotated):
    source, _ = pair
    source.execute("CREATE TABLE capture_submission ()")
    read_only.refuse_unless_alone(source)
    with (
        psycopg.connect(**rotated),
        pytest.raises(InUseError, match="1 connections of other roles"),
    ):
        read_only.refuse_unless_alone(source)


def test_freeze_refuses_a_connection_through_a_pooler(pair):
    source, _ = pair
    info = SimpleNamespace(backend_pid=source.info.backend_pid + 1)
    pooled: Any = SimpleNamespace(execute=source.execute, info=info)
    with pytest.raises(InUseError, match="goes through a pooler"), read_only.frozen(pooled):
        pass
    assert not read_only.is_frozen(source)


def test_failure_in_the_pause_reopens_the_source(pair):
    source, _ = pair
    with pytest.raises(ZeroDivisionError), read_only.frozen(source):
        raise ZeroDivisionError
    assert not read_only.is_frozen(source)
    with psycopg.connect(source.info.dsn, password=source.info.password) as after:
        after.execute("INSERT INTO people VALUES (1, 'a')")


def test_move_without_a_target_names_the_variables(source):
    done = source.manage("move", TARGET_STORAGE_URL="file:///tmp/nowhere")
    assert "set TARGET_DATABASE_URL, TARGET_BROKER_URL." in done.stderr


def test_move_refuses_a_target_in_use(source, tmp_path):
    (tmp_path / "to.env").write_text(
        "\n".join(f"{name}={url}" for name, url in source.backends.items())
    )
    source.python("-c", FURNISH).check_returncode()
    done = source.manage("move", "--to-env", str(tmp_path / "to.env"))
    assert "the database holds rows in" in done.stderr
    with tables.connect(source.parameters) as link:
        assert not read_only.is_frozen(link)


def test_move_refuses_a_target_inside_the_storage(source):
    there = {
        f"TARGET_{name}_URL": source.backends[f"{name}_URL"] for name in ("DATABASE", "BROKER")
    }
    done = source.manage(
        "move", **there, TARGET_STORAGE_URL=f"{source.backends['STORAGE_URL']}/new"
    )
    assert "TARGET_STORAGE_URL is inside STORAGE_URL" in done.stderr


def test_finish_before_a_move_is_refused(source):
    there = {
        f"TARGET_{name}_URL": source.backends[f"{name}_URL"]
        for name in ("DATABASE", "STORAGE", "BROKER")
    }
    done = source.manage("move", "--finish", **there)
    assert "run move without --finish first" in done.stderr


def test_cancel_reopens_the_source(source):
    with tables.connect(source.parameters) as link:
        read_only.freeze(link)
    assert source.python("-c", FURNISH).returncode == 1
    assert source.manage("move", "--cancel").returncode == 0
    source.python("-c", FURNISH).check_returncode()
