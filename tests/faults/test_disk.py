"""Disks that are full: the spool's while the database is away, and PostgreSQL's own."""

import errno
import os
import shutil
import subprocess
from contextlib import contextmanager, suppress
from uuid import uuid4

import psycopg
import pytest

from tests.faults.load import loading
from tests.faults.system import accounted_for
from tests.flows.waiting import eventually

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow_faults,
    pytest.mark.xdist_group("faults"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk"),
]


@contextmanager
def mounted(folder, size):
    """A small file system in memory at this folder."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def filled(folder):
    """Take all the room that is left; return the file that takes it."""
    file = folder / "filler"
    with file.open("wb", buffering=0) as filler, suppress(OSError):
        while filler.write(b"x" * 4096):
            pass
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        (folder / "more").write_bytes(b"x")
    return file


@pytest.fixture
def spool_disk(system):
    with mounted(system.storage, "4m") as folder:
        yield folder


@pytest.fixture
def ledger_disk(server, tmp_path_factory):
    """The ledger's table on a disk of its own; PostgreSQL's other files are elsewhere."""
    folder = server.data.parent / f"small-{uuid4().hex}"
    with mounted(folder, "16m"), psycopg.connect(server.url, autocommit=True) as connection:
        shutil.chown(folder, server.data.owner())
        connection.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
        connection.execute("ALTER TABLE capture_submission SET TABLESPACE small")
        yield connection
        connection.execute("DROP TABLE IF EXISTS filler")
        connection.execute("ALTER TABLE capture_submission SET TABLESPACE pg_default")
        connection.execute("DROP TABLESPACE small")


def fill_ledger(connection):
    connection.execute("CREATE TABLE filler (text text) TABLESPACE small")
    for rows in (1000, 10, 1):
        with suppress(psycopg.errors.DiskFull):
            while True:
                connection.execute(
                    "INSERT INTO filler SELECT repeat('x', 7000) FROM generate_series(1, %s)",
                    [rows],
                )


def test_full_spool_issues_no_receipt_and_recovers(system, spool_disk, roles, server):
    with loading(roles.url, system.public_id) as load:
        load.until(receipts=50)
        server.kill()
        load.until(receipts=50)
        filler = filled(spool_disk)
        eventually(lambda: load.statuses[503] >= 30, seconds=30)
        filler.unlink()
        load.until(receipts=50)
        server.start()
        load.until(receipts=50)
    assert set(load.statuses) == {201, 202, 503}
    assert (load.without_retry_after, load.broken) == (0, 0)
    accounted_for(system, load)
    assert not list((spool_disk / "spool").glob("parked/*"))
    assert not list((spool_disk / "spool").glob("unfinished/*"))


def test_submissions_are_spooled_while_the_ledger_is_full(system, ledger_disk, roles):
    with loading(roles.url, system.public_id) as load:
        load.until(receipts=50)
        fill_ledger(ledger_disk)
        full = load.statuses[201]
        eventually(lambda: load.statuses[202] >= 200, seconds=30)
        ledger_disk.execute("DROP TABLE filler")
        load.until(receipts=100)
    assert set(load.statuses) == {201, 202}
    assert load.broken == 0
    assert load.statuses[201] > full
    accounted_for(system, load)
    parked = "SELECT count(*) FROM capture_submission WHERE parked_at IS NOT NULL"
    assert ledger_disk.execute(parked).fetchone() == (0,)
