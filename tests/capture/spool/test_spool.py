"""What becomes of a submission while the ledger cannot be written."""

import asyncio
import errno
import json
import os
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from leadgen.capture.errors import DatabaseUnavailableError
from leadgen.capture.ledger import spool_fallback
from leadgen.capture.ledger.batch_writer import BatchWriter
from leadgen.capture.ledger.connection import LedgerConnection
from leadgen.capture.ledger.record import WriteStatus
from leadgen.capture.ledger.spool_fallback import LedgerWithSpool
from leadgen.capture.models import Submission
from leadgen.capture.spool import store
from leadgen.lib import backends
from tests.capture.rows import make_row

# The writer has a connection of its own and must see the committed form.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store_rows():
    """Write rows at once by way of the given connection; return their outcomes and errors."""

    async def all_of(rows, connection, timeout):
        ledger = LedgerWithSpool(BatchWriter(connection), timeout=timeout)
        writes = (ledger.write(row) for row in rows)
        kept = await asyncio.gather(*writes, return_exceptions=True)
        await ledger.close()
        return kept

    def run(*rows, connection=None, timeout=4.0):
        return asyncio.run(all_of(rows, connection or LedgerConnection(timeout=0.4), timeout))

    return run


def test_a_row_is_one_object_under_its_day_and_receipt(published_form, store_rows, away, storage):
    row = make_row(published_form, received_at=datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC))
    (outcome,) = store_rows(row, connection=LedgerConnection(away, timeout=0.4))
    assert (outcome.status, outcome.receipt) == (WriteStatus.SPOOLED, row.id)
    written = storage / "spool" / "2026-03-01" / f"{row.id}.json"
    assert json.loads(written.read_bytes())["version"] == 1
    assert store.unpack(written.read_bytes()) == row


def test_many_at_once_are_all_spooled(published_form, store_rows, away):
    outcomes = store_rows(
        *(make_row(published_form) for _ in range(50)),
        connection=LedgerConnection(away, timeout=0.4),
    )
    assert {outcome.status for outcome in outcomes} == {WriteStatus.SPOOLED}
    assert store.depth().waiting == 50


def test_ledger_writes_are_not_spooled(published_form, store_rows):
    assert store_rows(make_row(published_form))[0].status is WriteStatus.STORED
    assert store.depth() == store.Depth(0, None, 0)


def test_row_refused_by_the_ledger_is_spooled(published_form, store_rows):
    refused, good = store_rows(make_row(published_form, form_id=0), make_row(published_form))
    assert (refused.status, good.status) == (WriteStatus.SPOOLED, WriteStatus.STORED)
    assert (Submission.objects.count(), store.depth().waiting) == (1, 1)


def test_no_receipt_is_issued_without_ledger_and_storage(
    published_form, store_rows, away, no_storage
):
    (outcome,) = store_rows(
        make_row(published_form), connection=LedgerConnection(away, timeout=0.4)
    )
    assert isinstance(outcome, DatabaseUnavailableError)


@pytest.mark.parametrize("syncs", [0, 1, 3])
def test_a_disk_that_fails_midway_keeps_nothing_of_an_object(
    published_form, storage, monkeypatch, syncs
):
    left = iter([None] * syncs)

    def full(handle):
        if next(left, OSError) is OSError:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.store(make_row(published_form))
    assert [path for path in storage.rglob("*") if path.is_file()] == []


def test_hanging_storage_times_out_and_is_bounded(published_form, store_rows, away, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(store, "store", lambda row: gate.wait(10))
    monkeypatch.setattr(spool_fallback, "MAX_WAITING", 20)
    rows = [make_row(published_form) for _ in range(50)]
    outcomes = store_rows(*rows, connection=LedgerConnection(away, timeout=0.4), timeout=0.2)
    gate.set()
    assert {type(outcome) for outcome in outcomes} == {DatabaseUnavailableError}
    assert [str(outcome) for outcome in outcomes].count("storage timeout") == 20


def test_depth_and_age_are_read_from_object_names(published_form, storage):
    first = make_row(published_form)
    store.store(make_row(published_form, received_at=first.received_at + timedelta(days=1)))
    store.store(first)
    (storage / "spool" / "parked").mkdir()
    (storage / "spool" / "parked" / "x.json").write_text("?")
    depth = store.depth()
    assert (depth.waiting, depth.parked) == (2, 1)
    assert depth.oldest
    assert abs(depth.oldest - first.received_at) < timedelta(seconds=1)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"version": 2, "row": {}}', b'{"version": 1, "row": {"id": 3}}', b"\xff"],
)
def test_unreadable_objects_raise_a_named_error(content):
    with pytest.raises(store.UnreadableError):
        store.unpack(content)


def test_only_the_own_user_may_read_the_spool(published_form, storage):
    previous = os.umask(0o022)
    try:
        row = make_row(published_form)
        store.store(row)
        (name,) = store.waiting()
        store.park(name, b"")
    finally:
        os.umask(previous)
    modes = {
        path.relative_to(storage).as_posix(): path.stat().st_mode & 0o777
        for path in storage.rglob("*")
    }
    assert modes[f"spool/parked/{row.id}.json"] == 0o600
    assert {mode for path, mode in modes.items() if not path.endswith(".json")} == {0o700}


def test_folder_of_an_earlier_release_is_closed_to_others(storage):
    (storage / "spool").mkdir(parents=True)
    (storage / "spool").chmod(0o755)
    store.prepare()
    assert (storage / "spool").stat().st_mode & 0o777 == 0o700


def test_storage_on_a_local_disk_is_private(tmp_path):
    options = backends.storage(f"file://{tmp_path}/new")["OPTIONS"]
    FileSystemStorage(**options).save("folder/file", ContentFile(b"x"))
    modes = [path.stat().st_mode & 0o777 for path in sorted((tmp_path / "new").rglob("*"))]
    assert modes == [0o700, 0o600]
