"""The SQL that the edge writes by hand, held against the models, under contention and outages."""

import asyncio
import time

import psycopg
import pytest
from django.db import connection, transaction

from leadgen.capture.ledger import record
from leadgen.capture.ledger.batch_writer import BatchWriter
from leadgen.capture.ledger.connection import LedgerConnection
from leadgen.capture.ledger.record import WriteResult, WriteStatus
from leadgen.capture.models import Submission
from leadgen.capture.spool import store
from tests.capture.rows import make_row

ADA = {"name": "Ada", "email": "ada@example.com"}


@pytest.fixture
def outage(monkeypatch, away):
    """Switch PostgreSQL off for the edge alone, and on again."""
    connect = psycopg.AsyncConnection.connect

    class Outage:
        is_on = False

        def start(self):
            self.is_on = True
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

        def end(self):
            self.is_on = False

    state = Outage()

    async def connect_or_not(conninfo="", **kwargs):
        if state.is_on:
            kwargs = {**kwargs, "host": away["host"], "port": away["port"]}
        return await connect(conninfo, **kwargs)

    monkeypatch.setattr(psycopg.AsyncConnection, "connect", connect_or_not)
    return state


def test_the_columns_written_are_those_of_the_model():
    fields = {field.column: field for field in Submission._meta.concrete_fields}
    assert Submission._meta.db_table == record.TABLE
    assert set(record.COLUMNS) <= set(fields)
    left_out = set(fields) - set(record.COLUMNS)
    assert all(fields[column].null or fields[column].has_db_default() for column in left_out)


def test_fifty_at_once_with_one_key_are_one_submission(client, path):
    async def fifty():
        body = b'{"fields": {"name": "Ada", "email": "ada@example.com"}}'
        headers = {"content_type": "application/json", "idempotency_key": "k"}
        return await asyncio.gather(
            *(client.asend("POST", path, body, **headers) for _ in range(50))
        )

    answers = client.runner.run(fifty())
    assert sorted(answer.status for answer in answers) == [200] * 49 + [201]
    assert {answer.json["receipt"] for answer in answers} == {str(Submission.objects.get().id)}


def test_uncached_form_answers_503_during_an_outage(make_client, restricted_form, away):
    client = make_client(away, timeout=0.2)
    api = client.post_json(
        f"/api/v1/public/forms/{restricted_form.public_id}/submissions", {"fields": ADA}
    )
    page = client.post_form(f"/f/{restricted_form.slug}", ADA)
    assert (api.status, page.status) == (503, 503)
    assert (api.headers["retry-after"], page.headers["retry-after"]) == ("2", "2")
    assert api.json["errors"][""]
    assert not Submission.objects.exists()


def test_answers_are_spooled_during_a_database_outage(make_client, restricted_form, path, outage):
    client = make_client(timeout=0.3)
    client.get(f"/f/{restricted_form.slug}")
    client.post_json(path, {"fields": ADA})
    outage.start()
    page = client.get(f"/f/{restricted_form.slug}")
    assert (page.status, "Talk to sales" in page.text) == (200, True)
    api = client.post_json(path, {"fields": ADA}, origin="https://www.example.com")
    assert (api.status, api.json["state"]) == (202, "received")
    assert api.headers["access-control-allow-origin"] == "https://www.example.com"
    typed = client.post_form(f"/f/{restricted_form.slug}", {**ADA, "message": "A long story"})
    assert (typed.status, "receipt=" in typed.headers["location"]) == (303, True)
    assert store.depth().waiting == 2
    outage.end()
    deadline = time.monotonic() + 10
    while client.post_json(path, {"fields": ADA}).status != 201:
        assert time.monotonic() < deadline
        client.runner.run(asyncio.sleep(0.05))


def test_page_keeps_answers_without_database_and_storage(
    make_client, restricted_form, path, outage, no_storage
):
    client = make_client(timeout=0.3)
    client.get(f"/f/{restricted_form.slug}")
    client.post_json(path, {"fields": ADA})
    outage.start()
    api = client.post_json(path, {"fields": ADA}, origin="https://www.example.com")
    assert (api.status, api.headers["retry-after"]) == (503, "2")
    assert api.headers["access-control-allow-origin"] == "https://www.example.com"
    typed = client.post_form(f"/f/{restricted_form.slug}", {**ADA, "message": "A long story"})
    assert (typed.status, typed.headers["retry-after"]) == (503, "2")
    assert "A long story" in typed.text
    assert Submission.objects.count() == 1


def test_broken_connection_loses_no_submission(client, restricted_form, path, outage):
    client.post_json(path, {"fields": ADA})
    outage.start()
    outage.end()
    assert client.post_json(path, {"fields": ADA}).status == 201


def test_blocked_ledger_falls_back_to_the_spool(make_client, path):
    client = make_client(timeout=0.2)
    client.post_json(path, {"fields": ADA})
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE capture_submission IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        assert client.post_json(path, {"fields": ADA}).status == 202
        assert time.monotonic() - started < 2
    assert (Submission.objects.count(), store.depth().waiting) == (1, 1)


def test_a_row_sent_twice_over_a_broken_connection_is_one_row(client, restricted_form):
    row = make_row(restricted_form)
    writer = BatchWriter(LedgerConnection())
    outcomes = [client.runner.run(writer.write(row)) for _ in range(2)]
    client.runner.run(writer.close())
    assert outcomes == [WriteResult(WriteStatus.STORED, row.id)] * 2
    assert Submission.objects.count() == 1


def test_the_edge_starts_and_stops_without_postgresql(make_client, away):
    client = make_client(away)
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message["type"])

    client.runner.run(client.app({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
