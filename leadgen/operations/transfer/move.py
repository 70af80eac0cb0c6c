"""Move of a running deployment to other backends: copy, read-only pause, delta, verification."""

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

Report = Callable[[str], None]


@dataclass(frozen=True)
class Move:
    """Move from the backends of this process to those of another environment."""

    target: dict[str, str]
    report: Report

    @property
    def storage(self) -> Storage:
        return storages.create_storage(
            backends.storage(self.target["STORAGE_URL"], "TARGET_STORAGE_URL")
        )

    @contextmanager
    def connect(self) -> Iterator[tuple[Connection, Connection]]:
        """Yield connections to the source and to the target."""
        there = tables.parameters(self.target["DATABASE_URL"])
        here = connection_parameters()
        with tables.connect(here) as source, tables.connect(there) as target:
            yield source, target

    def manage(self, *arguments: str) -> None:
        child_process.manage(self.report, self.target, *arguments)


def move(job: Move) -> float:
    """Copy all tables and objects, pause, copy the changes, verify; return the pause in seconds.

    The source stays complete and read-only. After any fault it is writable again at once.
    Raise TransferError.
    """
    storage = job.storage
    with job.connect() as (source, target):
        read_only.refuse_unless_alone(source)
        refuse_unless_empty(target, storage)
    if objects.is_within(storage, default_storage):
        raise SchemaMismatchError(
            "TARGET_STORAGE_URL is inside STORAGE_URL: set another bucket, prefix or folder."
        )
    job.report("Preparing the target …")
    job.manage("migrate", "--verbosity", "0")
    job.manage("doctor")
    since = _copy(job)
    job.report(_copy_objects(storage))
    with job.connect() as (source, target):
        job.report("Pause: the database is read-only, submissions go to the spool.")
        started = time.perf_counter()
        with read_only.frozen(source):
            _apply_changes(job, source, target, since)
            job.report(_copy_objects(storage))
            _verify(job, source, target)
            job.manage("rebase_events")
            spooled = object_copy.copy_spool(default_storage, storage, target)
            job.report(f"{spooled:>12,}  spooled submissions")
            job.manage("reconcile")
        return time.perf_counter() - started


def finish(job: Move) -> int:
    """Copy the submissions that old processes spooled after the switch; return their number.

    Raise InUseError while an old process still runs, because it can spool more.
    """
    storage = job.storage
    with job.connect() as (source, target):
        if not read_only.is_frozen(source):
            raise InUseError("the source is not read-only: run move without --finish first.")
        running = read_only.sessions(source)
        copied = object_copy.copy_spool(default_storage, storage, target)
        job.report(f"{copied:>12,}  spooled submissions copied")
        if running:
            raise InUseError(
                f"{running} connections of the old deployment are open: stop its processes, then"
                " run move --finish again."
            )
        count = object_copy.verify_spool(default_storage, storage, target)
    job.manage("reconcile")
    return count


def cancel() -> None:
    """Make the source writable again, as after a move that was killed."""
    with tables.connect(connection_parameters()) as source:
        read_only.thaw(source)


def _copy(job: Move) -> str:
    """Copy every table while the deployment runs; return the snapshot's position for the delta."""
    with job.connect() as (source, target), tables.snapshot(source):
        since = delta.position(source)
        tables_to_copy = _matching_tables(source, target)
        with target.transaction():
            tables.set_text_formats(target)
            with copy.without_constraints(target):
                copy.empty(target, tables_to_copy)
                for table in tables_to_copy:
                    rows = copy.copy_in(target, table, copy.read(source, table))
                    job.report(f"{rows:>12,}  {table.name}")
                job.report("Making indexes and foreign keys …")
        target.execute("ANALYZE")
    return since


def _matching_tables(source: Connection, target: Connection) -> list[Table]:
    """Return the tables; raise SchemaMismatchError unless both databases have the same."""
    source_tables, target_tables = tables.tables(source), tables.tables(target)
    if source_tables != target_tables or tables.applied_migrations(
        source
    ) != tables.applied_migrations(target):
        raise SchemaMismatchError(
            "the source's tables are of another version: run manage.py migrate on the source."
        )
    return source_tables


def _apply_changes(job: Move, source: Connection, target: Connection, since: str) -> None:
    with tables.snapshot(source), target.transaction():
        tables.set_text_formats(target)
        for table in tables.tables(source):
            if written := delta.apply(source, target, table, since):
                job.report(f"{written:>12,}  {table.name}, changed since the copy")
        tables.set_sequences(target, tables.sequences(source))


def _copy_objects(storage: Storage) -> str:
    copied, size = object_copy.copy_objects(default_storage, storage)
    return f"{copied:>12,}  objects copied, {size / 1e6:,.1f} MB"


def _verify(job: Move, source: Connection, target: Connection) -> None:
    """Compare each table in both databases; raise VerificationError naming the first difference."""
    with tables.snapshot(source), tables.snapshot(target), ThreadPoolExecutor(2) as threads:
        for table in tables.tables(source):
            futures = [threads.submit(tables.content, each, table) for each in (source, target)]
            expected, actual = (future.result() for future in futures)
            if expected != actual:
                raise VerificationError(
                    f"{table.name} differs: {expected} in the source, {actual} in the target."
                )
            job.report(f"{expected.rows:>12,}  {table.name}, equal in source and target")
