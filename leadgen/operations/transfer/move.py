"""A running deployment to other backends, with one pause that visitors do not notice."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.files.storage import Storage, default_storage, storages

from leadgen.lib import backends
from leadgen.lib.postgresql.connections import connection_parameters
from leadgen.operations.transfer import (
    child_process,
    copy,
    delta,
    object_copy,
    objects,
    read_only,
    tables,
)
from leadgen.operations.transfer.errors import InUseError, SchemaMismatchError, VerificationError
from leadgen.operations.transfer.restore import refuse_unless_empty
from leadgen.operations.transfer.tables import Connection, Table

Say = Callable[[str], None]


@dataclass(frozen=True)
class Move:
    """From the backends of this process to those of another environment."""

    target: dict[str, str]
    say: Say

    @property
    def storage(self) -> Storage:
        return storages.create_storage(
            backends.storage(self.target["STORAGE_URL"], "TARGET_STORAGE_URL")
        )

    @contextmanager
    def both(self) -> Iterator[tuple[Connection, Connection]]:
        """Yield connections to the source and to the target."""
        there = tables.parameters(self.target["DATABASE_URL"])
        here = connection_parameters()
        with tables.connected(here) as source, tables.connected(there) as target:
            yield source, target

    def manage(self, *arguments: str) -> None:
        child_process.manage(self.say, self.target, *arguments)


def move(given: Move) -> float:
    """Copy everything, pause, bring the rest, prove it; return the seconds of the pause.

    The source stays read-only and whole. Whatever fails, it can write again at once.
    """
    storage = given.storage
    with given.both() as (source, target):
        read_only.refuse_unless_alone(source)
        refuse_unless_empty(target, storage)
    if objects.is_within(storage, default_storage):
        raise SchemaMismatchError(
            "TARGET_STORAGE_URL lies within STORAGE_URL: give a place beside it."
        )
    given.say("Preparing the target …")
    given.manage("migrate", "--verbosity", "0")
    given.manage("doctor")
    since = _copy(given)
    given.say(_objects(storage))
    with given.both() as (source, target):
        given.say("Pause: nothing is written to the database, submissions go to the spool.")
        started = time.perf_counter()
        with read_only.frozen(source):
            _bring(given, source, target, since)
            given.say(_objects(storage))
            _prove(given, source, target)
            given.manage("rebase_events")
            spooled = object_copy.copy_spool(default_storage, storage, target)
            given.say(f"{spooled:>12,}  spooled submissions")
            given.manage("reconcile")
        return time.perf_counter() - started


def finish(given: Move) -> int:
    """After the switch: carry what the old processes spooled; return how many that were in all.

    Raise BusyError while one of them still runs: it may yet spool more.
    """
    storage = given.storage
    with given.both() as (source, target):
        if not read_only.is_frozen(source):
            raise InUseError("the source is not frozen: run move first, without --finish.")
        running = read_only.sessions(source)
        copied = object_copy.copy_spool(default_storage, storage, target)
        given.say(f"{copied:>12,}  more spooled submissions")
        if running:
            raise InUseError(
                f"{running} connections of the old deployment are open: stop its processes, then"
                " run this again."
            )
        count = object_copy.verify_spool(default_storage, storage, target)
    given.manage("reconcile")
    return count


def cancel() -> None:
    """Let the source write again, as after a move that was killed."""
    with tables.connected(connection_parameters()) as source:
        read_only.thaw(source)


def _copy(given: Move) -> str:
    """Copy every table while the deployment runs; return the mark of the moment it was at."""
    with given.both() as (source, target), tables.snapshot(source):
        since = delta.position(source)
        listed = _alike(source, target)
        with target.transaction():
            tables.settle(target)
            with copy.without_constraints(target):
                copy.empty(target, listed)
                for table in listed:
                    rows = copy.copy_in(target, table, copy.read(source, table))
                    given.say(f"{rows:>12,}  {table.name}")
                given.say("Making indexes and foreign keys …")
        target.execute("ANALYZE")
    return since


def _alike(source: Connection, target: Connection) -> list[Table]:
    """Return the tables; raise UnfitError unless both ends have the same ones."""
    here, there = tables.tables(source), tables.tables(target)
    if here != there or tables.history(source) != tables.history(target):
        raise SchemaMismatchError(
            "the source's tables are of another version: run manage.py migrate there."
        )
    return here


def _bring(given: Move, source: Connection, target: Connection, since: str) -> None:
    with tables.snapshot(source), target.transaction():
        tables.settle(target)
        for table in tables.tables(source):
            if written := delta.apply(source, target, table, since):
                given.say(f"{written:>12,}  {table.name}, changed meanwhile")
        tables.set_sequences(target, tables.sequences(source))


def _objects(storage: Storage) -> str:
    copied, size = object_copy.copy_objects(default_storage, storage)
    return f"{copied:>12,}  objects copied, {size / 1e6:,.1f} MB"


def _prove(given: Move, source: Connection, target: Connection) -> None:
    """Compare every table's content on both ends; raise DifferentError naming the first fault."""
    with tables.snapshot(source), tables.snapshot(target), ThreadPoolExecutor(2) as threads:
        for table in tables.tables(source):
            asked = [threads.submit(tables.content, end, table) for end in (source, target)]
            here, there = (answer.result() for answer in asked)
            if here != there:
                raise VerificationError(f"{table.name} differs: {here} here, {there} there.")
            given.say(f"{here.rows:>12,}  {table.name}, the same on both ends")
