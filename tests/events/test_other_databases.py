"""Consumers wait for transactions of their own database, and not for those of others."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadgen.events.consumers import consume
from leadgen.events.models import Cursor, Event
from leadgen.events.services import emit
from leadgen.lib.postgresql.connections import connection_parameters
from tests.events.conftest import settle
from tests.factories import make_team

pytestmark = pytest.mark.django_db(transaction=True)

_WRITE = (
    "INSERT INTO events_event (kind, subject_type, subject_id, data)"
    " VALUES ('team.added', 'team', '1', '{}')"
)


@pytest.fixture
def other_database():
    name = f"{connection.settings_dict['NAME']}_other"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    yield {**connection_parameters(), "dbname": name}
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def role_without_rights():
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS plain_reader")
        cursor.execute("CREATE ROLE plain_reader NOSUPERUSER")
        cursor.execute("GRANT SELECT ON events_event TO plain_reader")
    yield "plain_reader"
    with connection.cursor() as cursor:
        cursor.execute("REVOKE ALL ON events_event FROM plain_reader")
        cursor.execute("DROP ROLE plain_reader")


def settled() -> int:
    return Event.objects.settled().count()


def assign_id(open_connection) -> None:
    open_connection.execute("SELECT pg_current_xact_id()")


def test_a_transaction_in_another_database_delays_no_event(other_database):
    with psycopg.connect(**other_database) as other:
        assign_id(other)
        emit("team.added", make_team())
        assert settled() == 1


def test_a_transaction_in_our_database_delays_later_events(other_database):
    with (
        psycopg.connect(**other_database) as other,
        psycopg.connect(**connection_parameters()) as ours,
    ):
        assign_id(other)
        assign_id(ours)
        emit("team.added", make_team())
        assert settled() == 0
        ours.rollback()
        assert settled() == 1


def test_role_without_rights_sees_transactions_of_others(other_database, role_without_rights):
    with psycopg.connect(**other_database) as other:
        assign_id(other)
        emit("team.added", make_team())
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {role_without_rights}")
            assert settled() == 1
            cursor.execute("RESET ROLE")


@pytest.fixture
def prepare() -> Iterator[Callable[..., None]]:
    prepared: list[tuple[dict[str, Any], str]] = []

    def prepare_transaction(parameters, name):
        with psycopg.connect(**parameters, autocommit=True) as other:
            other.execute("BEGIN")
            assign_id(other)
            other.execute(f"PREPARE TRANSACTION '{name}'")
        prepared.append((parameters, name))

    yield prepare_transaction
    for parameters, name in prepared:
        with psycopg.connect(**parameters, autocommit=True) as other:
            other.execute(f"ROLLBACK PREPARED '{name}'")


def test_a_prepared_transaction_elsewhere_delays_no_event(other_database, prepare):
    prepare(other_database, "elsewhere")
    emit("team.added", make_team())
    assert settled() == 1


def test_own_prepared_transaction_delays_events(prepare):
    prepare(connection_parameters(), "ours")
    emit("team.added", make_team())
    assert settled() == 0


ACTS = ("write", "write", "commit", "commit", "read", "read", "rollback")


class Sessions:
    """Connections to our database (even numbers) and to another one (odd numbers)."""

    def __init__(self, other_database) -> None:
        parameters = (connection_parameters(), other_database)
        self.open = [psycopg.connect(**parameters[number % 2]) for number in range(6)]
        self.seen: list[int] = []

    def act(self, number: int, act: str) -> None:
        if act == "read":
            self.read()
        elif act == "write":
            self.open[number].execute(_WRITE if number % 2 == 0 else "SELECT pg_current_xact_id()")
        else:
            getattr(self.open[number], act)()

    def read(self) -> None:
        def see(event: Event) -> None:
            self.seen.append(event.pk)

        consume("histories", {"team.added": see})

    def end(self) -> None:
        for number in range(0, 6, 2):
            self.open[number].commit()
        settle()
        self.read()
        for session in self.open:
            session.close()


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each history empties the log
)
@given(
    acts=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(ACTS)),
        min_size=20,  # shorter ones rarely let a later transaction end first
        max_size=40,
    )
)
def test_no_history_of_two_databases_skips_an_event(acts, other_database):
    Event.objects.all().delete()
    Cursor.objects.all().delete()
    sessions = Sessions(other_database)
    for number, act in acts:
        sessions.act(number, act)
    sessions.end()
    expected = Event.objects.order_by("transaction", "id").values_list("id", flat=True)
    assert sessions.seen == list(expected)
