import time

import psycopg
import pytest
from django.core.management import CommandError, call_command, get_commands

from leadgen.lib.postgresql.connections import connection_parameters
from leadgen.operations import migration_lock as lock
from leadgen.operations.transfer import tables

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def holder():
    """Another session that holds the lock until its transaction ends."""
    with psycopg.connect(**connection_parameters()) as connection:
        connection.execute(lock._TRY)
        yield connection


def test_two_migrations_of_an_empty_database_both_succeed(empty_deployment):
    first, second = (empty_deployment.start("manage.py", "migrate", "-v0") for _ in range(2))
    ended = [(*process.communicate(), process.returncode) for process in (first, second)]
    assert [status for *_, status in ended] == [0, 0], ended
    assert empty_deployment.manage("migrate", "--check").returncode == 0


def test_migrate_reports_the_wait_and_continues(empty_deployment):
    with tables.connect(empty_deployment.parameters) as link, link.transaction():
        link.execute(lock._TRY)
        waiting = empty_deployment.start("manage.py", "migrate")
        assert "waiting for another migrate" in waiting.stdout.readline()
    out, err = waiting.communicate()
    assert waiting.returncode == 0, err
    assert "Applying operations.0001_initial" in out


def test_migrate_fails_after_its_timeout(holder):
    with pytest.raises(
        CommandError, match=r"held the lock of this database for 0\.1 s \(timeout\)"
    ):
        call_command("migrate", lock_timeout=0.1, verbosity=0)


def test_migrate_reports_an_unreachable_database_clearly(empty_deployment):
    url = "postgresql://leadgen:secret-word@127.0.0.1:1/leadgen"
    ended = empty_deployment.manage("migrate", DATABASE_URL=url)
    assert ended.returncode == 1
    assert "Check DATABASE_URL and its password" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "secret-word" not in ended.stderr


@pytest.mark.parametrize("command", ["migrate", "reconcile", "retry_notifications"])
def test_a_wrong_password_is_reported_without_a_traceback(empty_deployment, command):
    parameters = connection_parameters()
    user = f"{parameters['user']}:secret-word"
    url = f"postgresql://{user}@127.0.0.1:{parameters['port']}/{parameters['dbname']}"
    ended = empty_deployment.manage(command, DATABASE_URL=url)
    assert ended.returncode == 1
    assert "password authentication failed" in ended.stderr
    assert "To replace a lost password see" in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr
    assert "secret-word" not in ended.stderr


def test_lock_is_free_after_a_migration_that_failed():
    with pytest.raises(ValueError, match="bad"), lock.migration_lock(print):
        raise ValueError("bad")
    with lock.migration_lock(print, timeout=5):
        pass


@pytest.mark.parametrize("option", ["check_unapplied", "plan"])
def test_migrate_plan_does_not_wait_for_the_lock(holder, option):
    assert call_command("migrate", lock_timeout=0, verbosity=0, **{option: True}) is None


def test_waiting_migrate_does_not_block_concurrent_index(empty_deployment):
    """CREATE INDEX CONCURRENTLY waits for every older snapshot of the database."""
    with tables.connect(empty_deployment.parameters) as link:
        link.execute("CREATE TABLE big (id int)")
        with tables.connect(empty_deployment.parameters) as first, first.transaction():
            first.execute(lock._TRY)
            waiting = empty_deployment.start("manage.py", "migrate", "-v0")
            waiting.stdout.readline()
            link.execute("SET statement_timeout = '5s'")
            started = time.monotonic()
            link.execute("CREATE INDEX CONCURRENTLY ON big (id)")
            assert time.monotonic() - started < 5
        waiting.communicate()


def test_lock_outlives_the_servers_limit_for_idle_transactions(settings, monkeypatch):
    options = {"options": "-c idle_in_transaction_session_timeout=200"}
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", options)
    with lock.migration_lock(print), psycopg.connect(**connection_parameters()) as other:
        other.execute("SELECT pg_sleep(0.5)")  # longer than the limit of the lock's session
        assert other.execute(lock._TRY).fetchone() == (False,)


def test_lock_does_not_delay_event_consumers():
    """An assigned transaction id would stop every event consumer until the migration ends."""
    with lock.migration_lock(print), psycopg.connect(**connection_parameters()) as other:
        held = other.execute(
            "SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid)"
            " WHERE l.locktype = 'advisory' AND (a.backend_xid IS NOT NULL"
            " OR a.backend_xmin IS NOT NULL)"
        ).fetchone()
    assert held == (0,)


def test_migrate_is_the_command_of_operations():
    assert get_commands()["migrate"] == "leadgen.operations"
