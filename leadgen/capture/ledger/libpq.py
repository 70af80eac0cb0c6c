"""Low-level libpq connection on the event loop, without psycopg's cursors (ADR 0012)."""

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from leadgen.capture.ledger.record import Texts

# invalid_sql_statement_name, duplicate_prepared_statement: a pooler has changed the server.
_POOLED = {"26000", "42P05"}
_LOOK_SECONDS = 0.1


class LibpqConnection:
    """Run one statement at a time, with one text parameter, written ``%s``.

    psycopg opens the connection, libpq runs the statements: a psycopg cursor takes 0.1 ms more a
    statement, and a prepared statement saves as much in the server (ADR 0012).
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection  # its __del__ warns when an open connection is dropped
        self._libpq = connection.pgconn
        self._loop = asyncio.get_running_loop()
        self._names: dict[str, bytes] = {}
        self._is_pooled = False
        self._answer: asyncio.Future[PGresult] | None = None
        self._result: PGresult | None = None
        self._socket = self._libpq.socket
        self._loop.add_reader(self._socket, self._read)

    @property
    def is_open(self) -> bool:
        """Whether a statement can be sent; the server may have closed the connection unnoticed."""
        return self._socket >= 0

    @property
    def backend_pid(self) -> int:
        """The process id of the server; behind a pooler, a number made up by the pooler."""
        return self._libpq.backend_pid

    def close(self) -> None:
        """Close at once; a statement in flight may still be committed."""
        if self.is_open:
            with suppress(OSError):  # libpq has closed the socket already
                self._loop.remove_reader(self._socket)
                self._loop.remove_writer(self._socket)
            self._socket = -1
            self._libpq.finish()

    async def fetch(self, statement: str, value: str, *, prepared: bool) -> Texts:
        """Run the statement in a transaction of its own and return its rows.

        With ``prepared`` the statement is prepared in the server once, unless a pooler is in
        between. Raise psycopg.Error.
        """
        if prepared and not self._is_pooled:
            try:
                return _texts(await self._run_prepared(statement, value))
            except psycopg.Error as error:
                if error.sqlstate not in _POOLED:
                    raise
                self._is_pooled = True
        send = self._libpq.send_query_params
        return _texts(await self._run(partial(send, _numbered(statement), [value.encode()])))

    async def _run_prepared(self, statement: str, value: str) -> PGresult:
        name = self._names.get(statement)
        if name is None:
            text = _numbered(statement)
            # The hash: behind a pooler other releases share the server's names.
            name = b"leadgen_" + hashlib.sha256(text).hexdigest()[:16].encode()
            await self._run(partial(self._libpq.send_prepare, name, text))
            self._names[statement] = name
        return await self._run(partial(self._libpq.send_query_prepared, name, [value.encode()]))

    async def _run(self, send: Callable[[], None]) -> PGresult:
        answer = self._answer = self._loop.create_future()
        try:
            self._look()
            if self.is_open:
                send()
            while self.is_open and self._libpq.flush():
                await self._writable(answer)
            result: PGresult = await answer
        finally:
            self._watch.cancel()
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)
        return result

    def _look(self) -> None:
        """Read every 0.1 s while waiting: uvloop does not call a reader when a socket is reset."""
        self._watch = self._loop.call_later(_LOOK_SECONDS, self._look)
        self._read()

    async def _writable(self, answer: "asyncio.Future[PGresult]") -> None:
        """Return once the socket is writable, or the statement was answered or failed before."""
        ready = self._loop.create_future()
        self._loop.add_writer(self._socket, _set, ready)
        try:
            await asyncio.wait([ready, answer], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if self.is_open:
                self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        if not self.is_open:
            return None
        try:
            self._libpq.consume_input()
            while not self._libpq.is_busy():
                result = self._libpq.get_result()
                if result is None:
                    return self._settle()
                self._result = result
        except psycopg.Error as error:
            self.close()
            if self._answer and not self._answer.done():
                self._answer.set_exception(error)

    def _settle(self) -> None:
        result, self._result = self._result, None
        if result and self._answer and not self._answer.done():
            self._answer.set_result(result)


def _set(ready: "asyncio.Future[Any]") -> None:
    if not ready.done():
        ready.set_result(None)


def _numbered(statement: str) -> bytes:
    return statement.replace("%s", "$1").encode()


def _texts(result: PGresult) -> Texts:
    columns = range(result.nfields)
    return [
        tuple(_text(result.get_value(row, column)) for column in columns)
        for row in range(result.ntuples)
    ]


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
