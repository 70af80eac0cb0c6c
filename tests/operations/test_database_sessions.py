"""Doctor and metrics of the server's connections and of old transactions."""

from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from leadgen.lib.postgresql.connections import connection_parameters
from leadgen.operations import doctor
from leadgen.operations.collectors import database_sessions
from leadgen.operations.collectors.database_sessions import Connections, RunningTransaction
from leadgen.operations.doctor import Level

pytestmark = pytest.mark.django_db(transaction=True)


def finding(subject):
    return {found.subject: found for found in doctor.examine()}[subject]


@pytest.fixture
def writing():
    with psycopg.connect(**connection_parameters()) as other:
        other.execute("SELECT pg_current_xact_id()")
        yield other


def test_oldest_writing_transaction_is_found_by_process(writing):
    found = database_sessions.oldest_transaction()
    assert found
    assert f"process {writing.info.backend_pid} of " in found.subject
    assert timedelta(0) <= found.age < timedelta(minutes=1)


def test_read_only_transaction_blocks_nothing():
    with psycopg.connect(**connection_parameters()) as other:
        other.execute("SELECT 1")
        assert database_sessions.oldest_transaction() is None


def test_a_prepared_transaction_is_found_by_its_name():
    with psycopg.connect(**connection_parameters(), autocommit=True) as other:
        other.execute("BEGIN")
        other.execute("SELECT pg_current_xact_id()")
        other.execute("PREPARE TRANSACTION 'forgotten'")
        try:
            found = database_sessions.oldest_transaction()
            assert found
            assert found.subject.startswith("prepared transaction forgotten of ")
        finally:
            other.execute("ROLLBACK PREPARED 'forgotten'")


@pytest.mark.parametrize(("minutes", "level"), [(4, Level.OK), (6, Level.WARN)])
def test_doctor_warns_of_a_transaction_older_than_five_minutes(monkeypatch, minutes, level):
    old = RunningTransaction(timedelta(minutes=minutes), "process 7 of leadgen (import)")
    monkeypatch.setattr(database_sessions, "oldest_transaction", lambda: old)
    assert finding("transactions").level == level


@pytest.mark.parametrize(
    ("connections", "level"),
    [
        (Connections(used=9, limit=97, webs=2, workers=2), Level.OK),
        (Connections(used=9, limit=97, webs=10, workers=2), Level.WARN),
        (Connections(used=98, limit=97, webs=1, workers=1), Level.WARN),
    ],
)
def test_doctor_compares_the_budget_with_the_server(monkeypatch, connections, level):
    monkeypatch.setattr(database_sessions, "read_connections", lambda: connections)
    assert finding("connections").level == level


def test_containers_are_counted_by_role_and_address():
    parameters = connection_parameters()
    with (
        psycopg.connect(**parameters | {"application_name": "leadgen web"}),
        psycopg.connect(**parameters | {"application_name": "leadgen capture"}),
        psycopg.connect(**parameters | {"application_name": "leadgen worker"}),
    ):
        found = database_sessions.read_connections()
    assert (found.webs, found.workers) == (1, 1)
    assert found.used >= 4
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_connections")
        assert found.limit == int(cursor.fetchone()[0]) - 3


def test_doctor_warns_of_a_superuser():
    assert "the role is a superuser" in finding("database").text


def test_metrics_show_connections_and_the_oldest_transaction(client, writing):
    lines = client.get("/metrics").content.decode().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert float(values["leadgen_database_connections"]) >= 2
    assert float(values["leadgen_database_connections_limit"]) > 90
    assert float(values["leadgen_database_oldest_transaction_seconds"]) > 0
