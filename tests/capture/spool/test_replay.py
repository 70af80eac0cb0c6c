"""Each spooled submission reaches the ledger once, in order, with its own receipt and time."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError, connection
from msgspec.structs import replace

from leadgen.capture.models import Repeat, Submission
from leadgen.capture.reasons import ReviewReason
from leadgen.capture.spool import local_files, store
from leadgen.capture.spool import replay as replaying
from leadgen.capture.tasks import replay as task
from leadgen.lib import backends
from leadgen.lib.ids import uuid7
from tests.capture.rows import make_row

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OLD_RECEIPT = "019b7c8f-0000-7000-8000-000000000000"


def replay():
    return replaying.replay(seconds=10)


def in_order(count):
    return sorted(uuid7() for _ in range(count))


def plant(storage, content, name=f"{OLD_RECEIPT}.json", day="2026-01-02"):
    path = Path(storage) / "spool" / day / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_spooled_submission_keeps_its_receipt_and_its_time(published_form, nudges):
    row = make_row(published_form, received_at=LONG_AGO, idempotency_key="k", reasons=["flood"])
    store.store(row)
    assert replay() == 1
    kept = Submission.objects.get()
    assert (kept.id, kept.received_at) == (row.id, LONG_AGO)
    assert (kept.idempotency_key, kept.reasons, kept.raw) == ("k", ["flood"], row.raw)
    assert store.depth().waiting == 0
    assert nudges == [1]


def test_replay_follows_receipts_across_days_and_batches(published_form, monkeypatch):
    monkeypatch.setattr(replaying, "BATCH", 2)
    rows = [
        make_row(published_form, id=receipt, received_at=LONG_AGO + timedelta(hours=9 * place))
        for place, receipt in enumerate(in_order(5))
    ]
    for row in reversed(rows):
        store.store(row)
    assert list(store.waiting()) == [
        f"spool/{row.received_at:%Y-%m-%d}/{row.id}.json" for row in rows
    ]
    assert replay() == 5
    assert list(Submission.objects.order_by("received_at").values_list("id", flat=True)) == [
        row.id for row in rows
    ]


def test_committed_write_and_its_spooled_copy_are_one(published_form):
    row = make_row(published_form, idempotency_key="k")
    store.store(row)
    replay()
    store.store(row)
    assert replay() == 1
    assert (Submission.objects.count(), Repeat.objects.count()) == (1, 0)
    assert store.depth().waiting == 0


def test_a_replay_killed_before_it_deletes_is_harmless(published_form, monkeypatch):
    def killed(name):
        raise KeyboardInterrupt

    first, second, third = in_order(3)
    row = make_row(published_form, id=first, idempotency_key="k")
    for each in (row, replace(row, id=second), replace(row, id=third, fingerprint="b")):
        store.store(each)
    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "delete", killed)
        with pytest.raises(KeyboardInterrupt):
            replay()
    assert replay() == 3
    assert (Submission.objects.count(), Repeat.objects.count()) == (2, 1)
    assert store.depth() == store.Depth(0, None, 0)


def test_same_key_and_content_keeps_both_receipts(published_form):
    receipt, later = in_order(2)
    first = make_row(published_form, id=receipt, idempotency_key="k")
    second = replace(first, id=later)
    store.store(second)
    store.store(first)
    assert replay() == 2
    assert Submission.objects.get().id == first.id
    assert Repeat.objects.get(receipt=second.id).submission_id == first.id


def test_other_content_under_a_used_key_is_quarantined(published_form):
    first = make_row(published_form, idempotency_key="k")
    other = replace(first, id=uuid7(), fingerprint="b", raw={"name": "Grace"})
    store.store(first)
    replay()
    store.store(other)
    replay()
    held = Submission.objects.quarantined().get()
    assert (held.id, held.reasons) == (other.id, [ReviewReason.KEY_REUSED])
    assert (held.idempotency_key, held.raw) == (None, {"name": "Grace"})


def test_unreadable_object_is_parked_and_others_are_replayed(published_form, storage):
    plant(storage, b"\x00 half an obj")
    plant(storage, b"{}", name="stray.txt")
    store.store(make_row(published_form))
    assert replay() == 1
    assert (store.depth().waiting, store.depth().parked) == (0, 2)
    parked = Path(storage) / "spool" / "parked" / f"{OLD_RECEIPT}.json"
    assert parked.read_bytes() == b"\x00 half an obj"


def test_unfinished_object_is_not_listed(published_form, storage, monkeypatch):
    monkeypatch.setattr(local_files, "rename", lambda path, target: None)
    store.store(make_row(published_form))
    assert [path.parent.name for path in storage.rglob("*") if path.is_file()] == ["unfinished"]
    assert (replay(), store.depth()) == (0, store.Depth(0, None, 0))


def test_unfinished_files_are_deleted_after_a_day(storage):
    folder = storage / "spool" / "unfinished"
    folder.mkdir(parents=True)
    for name, age in (("old", timedelta(days=2)), ("new", timedelta(hours=1))):
        (folder / name).write_text("{")
        at = (datetime.now(UTC) - age).timestamp()
        os.utime(folder / name, (at, at))
    replay()
    assert [path.name for path in folder.iterdir()] == ["new"]


def test_undeletable_files_do_not_stop_the_replay(published_form, storage):
    store.store(make_row(published_form))
    strange = storage / "spool" / "unfinished" / "folder"
    strange.mkdir()
    os.utime(strange, (0, 0))
    replay()
    assert Submission.objects.count() == 1


@pytest.mark.parametrize("broken", ["open", "delete"])
def test_partial_storage_failure_delays_no_other_object(published_form, monkeypatch, broken):
    first, *others = [make_row(published_form, id=receipt) for receipt in in_order(3)]
    for row in (first, *others):
        store.store(row)
    monkeypatch.setattr(replaying, "BATCH", 1)
    works = getattr(default_storage, broken)

    def breaks(name, *args):
        if str(first.id) in name:
            raise OSError("no")
        return works(name, *args)

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, broken, breaks)
        replay()
    assert {row.id for row in others} <= set(Submission.objects.values_list("id", flat=True))
    assert [str(first.id) in name for name in store.waiting()] == [True]


def test_submission_refused_by_the_database_is_parked_alone(published_form):
    rows = [make_row(published_form) for _ in range(9)]
    rows[4] = replace(rows[4], version_id=0)
    for row in rows:
        store.store(row)
    assert replay() == 8
    assert (store.depth().waiting, store.depth().parked) == (0, 1)
    assert Submission.objects.count() == 8


def test_objects_stay_while_the_database_is_unavailable(published_form, monkeypatch):
    def away():
        raise OperationalError

    store.store(make_row(published_form))
    with monkeypatch.context() as patch:
        patch.setattr(replaying, "_has_lock", away)
        with pytest.raises(OperationalError):
            replay()
    assert store.depth().waiting == 1
    task()
    assert Submission.objects.count() == 1


def test_one_run_at_a_time_does_the_work(published_form, monkeypatch):
    store.store(make_row(published_form))
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [replaying._LOCK_KEY])
        assert replay() == 0
        cursor.execute("SELECT pg_advisory_unlock(%s)", [replaying._LOCK_KEY])
    other.close()
    assert replay() == 1


def test_the_spool_works_the_same_on_s3(published_form, settings, s3_url):
    of_my_own = s3_url.replace("?", f"/{uuid7()}?", 1)  # workers of other tests look there too
    settings.STORAGES = settings.STORAGES | {"default": backends.storage(of_my_own)}
    rows = [make_row(published_form, id=receipt, idempotency_key="k") for receipt in in_order(3)]
    for row in rows:
        store.store(row)
    default_storage.save(f"spool/2026-01-02/{OLD_RECEIPT}.json", ContentFile(b"?"))
    before = store.depth()
    assert replay() == 3
    assert (before.waiting, store.depth().waiting, store.depth().parked) == (4, 0, 1)
    assert (Submission.objects.get().id, Repeat.objects.count()) == (rows[0].id, 2)
