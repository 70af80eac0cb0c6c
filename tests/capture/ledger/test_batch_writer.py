"""Many rows in one commit: each gets its own answer, and none suffers from its neighbours."""

import asyncio
import time
from dataclasses import dataclass

import pytest
from django.db import connection, transaction
from msgspec.structs import replace

from leadgen.capture.errors import DatabaseUnavailableError, RowRejectedError
from leadgen.capture.ledger import batch_writer as writing
from leadgen.capture.ledger.batch_writer import BatchWriter, LedgerBusyError
from leadgen.capture.ledger.connection import LedgerConnection
from leadgen.capture.ledger.record import WriteStatus
from leadgen.capture.models import Submission
from leadgen.lib.ids import uuid7
from tests.capture.rows import make_row
from tests.factories import make_form

# The writer has a connection of its own and must see the committed form.
pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Bench:
    writer: BatchWriter
    runner: asyncio.Runner

    def run(self, *rows):
        async def all_of_them():
            writes = map(self.writer.write, rows)
            return await asyncio.gather(*writes, return_exceptions=True)

        return self.runner.run(all_of_them())


@pytest.fixture
def returns():
    return []


@pytest.fixture
def writer(published_form, returns):
    """A writer that waits for the database for 0.4 seconds."""
    with asyncio.Runner() as runner:
        made = BatchWriter(LedgerConnection(timeout=0.4), lambda: returns.append(1))
        yield Bench(made, runner)
        runner.run(made.close())


def fates(results):
    return [result.status for result in results]


def locked_ledger():
    """Lock the ledger against writing, until left."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE capture_submission IN SHARE MODE")


def transactions():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM capture_submission")
        return cursor.fetchone()[0]


def test_concurrent_rows_share_one_commit(writer, published_form):
    assert (
        fates(writer.run(*(make_row(published_form) for _ in range(50))))
        == [WriteStatus.STORED] * 50
    )
    assert Submission.objects.count() == 50
    assert transactions() <= 2


def test_row_read_from_the_ledger_equals_the_written_row(writer, published_form):
    answers = {"name": "Zoë 🦊 O'Neil", "size": 10**30, "many": ["a", "b"], "none": None}
    row = make_row(published_form, raw=answers, reasons=["flood", "too_fast"], state="quarantined")
    writer.run(row)
    kept = Submission.objects.get()
    assert (kept.id, kept.raw, kept.reasons) == (row.id, answers, ["flood", "too_fast"])
    assert (kept.received_at, kept.submitted_at) == (row.received_at, None)
    assert kept.idempotency_key is None


def test_first_of_equal_keys_in_one_batch_is_stored(writer, published_form):
    first = make_row(published_form, idempotency_key="k", fingerprint="a")
    same = replace(first, id=uuid7())
    other = replace(first, id=uuid7(), fingerprint="b")
    stranger = make_row(published_form, idempotency_key="another")
    results = writer.run(first, same, other, stranger)
    assert fates(results) == [
        WriteStatus.STORED,
        WriteStatus.REPEATED,
        WriteStatus.CONFLICT,
        WriteStatus.STORED,
    ]
    assert {result.receipt for result in results[:3]} == {first.id}


def test_key_is_unique_per_form_across_batches(writer, published_form):
    first = make_row(published_form, idempotency_key="k")
    writer.run(first)
    elsewhere = make_row(make_form(), idempotency_key="k")
    again, other = writer.run(replace(first, id=uuid7()), elsewhere)
    assert (again.status, again.receipt) == (WriteStatus.REPEATED, first.id)
    assert other.status is WriteStatus.STORED


def test_a_row_sent_again_among_others_is_stored_once(writer, published_form):
    row = make_row(published_form)
    writer.run(row)
    assert (
        fates(writer.run(row, make_row(published_form), make_row(published_form)))
        == [WriteStatus.STORED] * 3
    )
    assert Submission.objects.count() == 3


@pytest.mark.parametrize("fault", [{"form_id": 0}, {"raw": {"name": "a\0b"}}, {"state": "x" * 13}])
def test_row_refused_by_the_database_fails_alone(writer, published_form, fault):
    rows = [make_row(published_form) for _ in range(20)]
    rows[7] = replace(rows[7], **fault)
    results = writer.run(*rows)
    assert isinstance(results.pop(7), RowRejectedError)
    assert fates(results) == [WriteStatus.STORED] * 19
    assert Submission.objects.count() == 19


def test_a_row_that_is_no_text_fails_before_it_is_queued(writer, published_form):
    bad, good = writer.run(
        make_row(published_form, raw={"name": "\ud800"}), make_row(published_form)
    )
    assert isinstance(bad, ValueError)
    assert good.status is WriteStatus.STORED


def test_row_of_a_cancelled_caller_is_written(writer, published_form):
    async def leave():
        leaving, staying = (
            asyncio.create_task(writer.writer.write(make_row(published_form))) for _ in range(2)
        )
        await asyncio.sleep(0)
        leaving.cancel()
        return await asyncio.wait_for(staying, 5)

    assert writer.runner.run(leave()).status is WriteStatus.STORED
    assert Submission.objects.count() == 2


def test_all_queued_writes_fail_with_a_stalled_ledger(writer, published_form):
    rows = [make_row(published_form) for _ in range(20)]
    with transaction.atomic():
        locked_ledger()
        started = time.monotonic()
        results = writer.run(*rows)
    assert {type(result) for result in results} == {DatabaseUnavailableError}
    assert time.monotonic() - started < 2


def test_writes_fail_at_once_while_the_breaker_is_open(writer, published_form, returns):
    with transaction.atomic():
        locked_ledger()
        writer.run(make_row(published_form))
        started = time.monotonic()
        for _ in range(20):
            writer.run(make_row(published_form))
        assert time.monotonic() - started < 0.3
    deadline = time.monotonic() + 10
    while isinstance(writer.run(make_row(published_form))[0], DatabaseUnavailableError):
        assert time.monotonic() < deadline
        writer.runner.run(asyncio.sleep(0.05))
    assert returns == [1]


def test_a_full_queue_refuses_instead_of_growing(writer, published_form, monkeypatch):
    monkeypatch.setattr(writing, "QUEUE_ROWS", 10)
    monkeypatch.setattr(writing, "BATCH_ROWS", 5)
    with transaction.atomic():
        locked_ledger()
        results = writer.run(*(make_row(published_form) for _ in range(50)))
    assert [type(result) for result in results].count(LedgerBusyError) >= 35


def test_a_batch_is_bounded_in_bytes(writer, published_form, monkeypatch):
    monkeypatch.setattr(writing, "BATCH_BYTES", 5_000)
    rows = [make_row(published_form, raw={"text": "x" * 4_000}) for _ in range(6)]
    assert fates(writer.run(*rows)) == [WriteStatus.STORED] * 6
    assert transactions() == 3
