"""One connection to PostgreSQL on the event loop, without a cursor between the two."""

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

# The server does not know the statement, or knows it already: a pooler has changed the server.
_POOLED = {"26000", "42P05"}
_LOOK_SECONDS = 0.1


class LibpqConnection:
    """Runs one statement at a time, with one text parameter, written ``%s``.

    psycopg connects and its libpq does the rest: its cursors cost 0.1 ms a statement more, and
    what is prepared in the server saves as much there (ADR 0012).
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection  # warns when it is forgotten while it is open
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
        """Whether it can take a statement; the server may have hung up unseen all the same."""
        return self._socket >= 0

    @property
    def backend_pid(self) -> int:
        """The process in the server; behind a pooler, a number that the pooler made up."""
        return self._libpq.backend_pid

    def close(self) -> None:
        """Hang up at once, whatever the server is at; a statement in flight may be committed."""
        if self.is_open:
            with suppress(OSError):  # libpq has closed the socket already
                self._loop.remove_reader(self._socket)
                self._loop.remove_writer(self._socket)
            self._socket = -1
            self._libpq.finish()

    async def fetch(self, statement: str, value: str, *, prepared: bool) -> Texts:
        """Run the statement in a transaction of its own and return its rows.

        With ``prepared`` the server keeps it parsed, unless a pooler stands between. Raise
        psycopg.Error.
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
            # Behind a pooler other releases meet the same names.
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
        """Read unasked, now and then: of a socket that was reset uvloop tells no reader."""
        self._watch = self._loop.call_later(_LOOK_SECONDS, self._look)
        self._read()

    async def _writable(self, answer: "asyncio.Future[PGresult]") -> None:
        """Return once more can be sent, or the server has answered or hung up before that."""
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
