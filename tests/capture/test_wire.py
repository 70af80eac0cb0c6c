"""A statement on a connection that poolers, administrators and time-outs meddle with."""

import asyncio

import pytest
from django.db import connection

from leadgen.capture.database import DatabaseAwayError
from leadgen.capture.line import Line, RefusedError

# PostgreSQL's own tables tell which statements the server knows.
KNOWN = "SELECT count(*) FROM pg_prepared_statements WHERE %s::text IS NOT NULL"
LENGTH = "SELECT length(%s::text), NULL"
BACKEND = "SELECT pg_backend_pid(), length(%s::text)"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def line():
    """A line that waits for half a second, with what runs its coroutines."""
    with asyncio.Runner() as runner:
        made = Line(patience=0.5)
        yield lambda *arguments, **named: runner.run(made.fetch(*arguments, **named))
        made.close()


@pytest.fixture
def forget():
    """A statement after which the server knows none of those that were prepared."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION forget(text) RETURNS text LANGUAGE plpgsql AS "
            "$$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN $1; END $$"
        )
    yield "SELECT forget(%s::text)"
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION forget(text)")


def test_a_prepared_statement_is_parsed_once_and_any_other_each_time(line):
    for text in ("a", "bc", ""):
        assert line(LENGTH, text, prepared=True) == [(str(len(text)), None)]
    assert line(KNOWN, "") == [("1",)]


def test_a_value_larger_than_any_buffer_arrives_whole(line):
    assert line(LENGTH, "ü" * 5_000_000) == [("5000000", None)]


def test_behind_a_pooler_that_changes_servers_statements_are_sent_whole(line, forget):
    line(LENGTH, "a", prepared=True)
    assert line(forget, "now") == [("now",)]
    assert line(LENGTH, "abc", prepared=True) == [("3", None)]
    assert line(KNOWN, "") == [("0",)]


def test_a_connection_that_was_ended_is_replaced_unseen(line):
    ((first, _),) = line(BACKEND, "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [int(first)])
    ((second, _),) = line(BACKEND, "")
    assert first != second


def test_a_statement_that_takes_too_long_is_given_up_and_the_next_one_served(line):
    with pytest.raises(DatabaseAwayError):
        line("SELECT pg_sleep(length(%s::text))", "xxxxx")
    assert line(LENGTH, "ab") == [("2", None)]


def test_a_refused_value_keeps_the_connection(line):
    ((first, _),) = line(BACKEND, "")
    with pytest.raises(RefusedError, match="invalid input syntax"):
        line("SELECT %s::jsonb", "{")
    assert line(BACKEND, "")[0][0] == first
