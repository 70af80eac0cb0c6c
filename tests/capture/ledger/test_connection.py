"""A statement on a connection that poolers, administrators and time-outs meddle with."""

import asyncio
import os
import socket
import threading
import time

import pytest
import uvloop
from django.db import connection

from leadgen.capture.errors import DatabaseUnavailableError, RowRejectedError
from leadgen.capture.ledger.connection import LedgerConnection
from leadgen.lib.postgresql.connections import connection_parameters
from tests.capture.ledger.faulty_proxy import RESET, between

# PostgreSQL's own tables tell which statements the server knows.
KNOWN = "SELECT count(*) FROM pg_prepared_statements WHERE %s::text IS NOT NULL"
LENGTH = "SELECT length(%s::text), NULL"
BACKEND = "SELECT pg_backend_pid(), length(%s::text)"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def make_line(request):
    """Return a factory of fetch functions over a LedgerConnection; the default timeout is 0.5 s."""
    with asyncio.Runner(loop_factory=request.param) as runner:
        lines = []

        def make(parameters=None, timeout=0.5):
            lines.append(LedgerConnection(parameters, timeout=timeout))
            return lambda *args, **options: runner.run(lines[-1].fetch(*args, **options))

        yield make
        for line in lines:
            line.close()


@pytest.fixture
def line(make_line):
    return make_line()


@pytest.fixture
def upstream(transactional_db):
    with connection.cursor():
        info = connection.connection.info
        return info.host, info.port


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


def test_only_prepared_statements_are_parsed_once(line):
    for text in ("a", "bc", ""):
        assert line(LENGTH, text, prepared=True) == [(str(len(text)), None)]
    assert line(KNOWN, "") == [("1",)]


def test_value_larger_than_any_buffer_arrives_complete(make_line):
    # 10 MB take more than the default half second on a busy machine.
    line = make_line(timeout=10)
    assert line(LENGTH, "ü" * 5_000_000) == [("5000000", None)]


def test_statements_are_not_prepared_behind_a_pooler(line, forget):
    line(LENGTH, "a", prepared=True)
    assert line(forget, "now") == [("now",)]
    assert line(LENGTH, "abc", prepared=True) == [("3", None)]
    assert line(KNOWN, "") == [("0",)]


def test_terminated_connection_is_replaced(line):
    ((first, _),) = line(BACKEND, "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [int(first)])
    ((second, _),) = line(BACKEND, "")
    assert first != second


def test_statement_times_out_and_the_next_one_succeeds(line):
    with pytest.raises(DatabaseUnavailableError):
        line("SELECT pg_sleep(length(%s::text))", "xxxxx")
    assert line(LENGTH, "ab") == [("2", None)]


def test_server_silent_after_login_times_out(make_line, upstream):
    silence = threading.Event()

    def meddle(client, piece, received):
        return piece[:1] not in b"QP" or silence.wait(20)

    with between(connection_parameters(), upstream, meddle) as parameters:
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailableError):
            make_line(parameters)(LENGTH, "a")
        silence.set()
    assert time.monotonic() - started < 4


def test_connection_reset_during_a_large_value_is_replaced(make_line, upstream):
    resets: list[object] = []

    def meddle(client, piece, received):
        if received < 100_000 or resets:
            return True
        resets.append(client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET))
        os.close(client.detach())
        return False

    with between(connection_parameters(), upstream, meddle) as parameters:
        line = make_line(parameters, timeout=10)
        line(LENGTH, "")
        assert line(LENGTH, "x" * 20_000_000) == [("20000000", None)]
    assert len(resets) == 1


def test_a_refused_value_keeps_the_connection(line):
    ((first, _),) = line(BACKEND, "")
    with pytest.raises(RowRejectedError, match="invalid input syntax"):
        line("SELECT %s::jsonb", "{")
    assert line(BACKEND, "")[0][0] == first
