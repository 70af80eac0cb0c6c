"""A backup into an empty deployment, checked while it is read and again once it is there."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
from django.core.files.storage import Storage, default_storage
from django.core.management import call_command
from django.db import connection as django_connection
from django.db.migrations.executor import MigrationExecutor

from leadgen.events.consumers import rebase
from leadgen.lib.postgresql.connections import connection_parameters
from leadgen.operations.transfer import copy, objects, read_only, tables
from leadgen.operations.transfer.archive import ArchiveReader
from leadgen.operations.transfer.errors import (
    InUseError,
    NotEmptyError,
    SchemaMismatchError,
    VerificationError,
)
from leadgen.operations.transfer.manifest import Manifest, ManifestEntry, TableParts
from leadgen.operations.transfer.tables import Connection, Table
from leadgen.operations.transfer.tar import members

Say = Callable[[str], None]

# What `migrate` itself writes into an empty database.
_FURNITURE = {"auth_permission", "django_content_type"}


def refuse_unless_empty(connection: Connection, storage: Storage) -> None:
    """Raise OccupiedError unless there is neither a row nor an object."""
    if found := tables.occupied(connection, but=_FURNITURE):
        raise NotEmptyError(
            f"the database holds rows in {', '.join(found[:5])}"
            f"{f' and {len(found) - 5} more tables' if found[5:] else ''}: give an empty one."
        )
    if name := next(objects.names(storage, spooled=True), None):
        raise NotEmptyError(f"the storage holds {name}: give an empty bucket, prefix or folder.")


def _refuse_unless_idle(connection: Connection) -> None:
    ours = int(django_connection.connection is not None)
    if others := read_only.sessions(connection, seconds=0) - ours:
        raise InUseError(f"{others} connections to this database are open: stop every process.")


def restore(reader: ArchiveReader, say: Say) -> Manifest:
    """Fill this deployment from a backup; raise before anything is committed to its database.

    What can fail after that (migrating, the event log) can be done again by itself.
    """
    made = reader.manifest()
    say(f"The backup of {made.at:%Y-%m-%d %H:%M:%S} UTC by version {made.version}")
    with tables.connected(connection_parameters()) as connection:
        refuse_unless_empty(connection, default_storage)
        _refuse_unless_idle(connection)
        _make_tables(made)
        _restore_objects(reader, made, say)
        with connection.transaction():
            tables.settle(connection)
            _load(connection, reader, made, say)
        connection.execute("ANALYZE")
    call_command("migrate", verbosity=0)
    rebase()
    return made


def _make_tables(made: Manifest) -> None:
    """Bring the schema to where it was at the backup, whatever has been added since."""
    executor = MigrationExecutor(django_connection)
    wanted = set(made.migrations)
    if unknown := wanted - set(executor.loader.graph.nodes):
        raise SchemaMismatchError(
            f"{min(unknown)} is not known here: restore with version {made.version}."
        )
    if ahead := set(executor.loader.applied_migrations) - wanted:
        raise SchemaMismatchError(
            f"the database has {min(ahead)}, which is younger than the backup: give one without"
            " tables, and the restore makes and upgrades them itself."
        )
    graph = executor.loader.graph
    leaves = [
        key
        for key in wanted
        if not any(child.key in wanted for child in graph.node_map[key].children)
    ]
    executor.migrate(leaves)


def _load(connection: Connection, reader: ArchiveReader, made: Manifest, say: Say) -> None:
    listed = tables.tables(connection)
    here, there = {(t.name, t.columns) for t in listed}, {(t.name, t.columns) for t in made.tables}
    if here != there:
        name, _ = min(here ^ there)
        raise SchemaMismatchError(
            f"{name} differs from the backup's: restore with version {made.version}."
        )
    with copy.without_constraints(connection):
        copy.empty(connection, listed)
        for kept in made.tables:
            _fill(connection, reader, kept, say)
        say("Making indexes and foreign keys …")
    tables.set_sequences(connection, made.sequences)


def _fill(connection: Connection, reader: ArchiveReader, kept: TableParts, say: Say) -> None:
    table = Table(kept.name, kept.columns)
    copy.copy_in(connection, table, reader.stream(kept.parts))
    found = tables.content(connection, table)
    if (found.rows, found.checksum) != (kept.rows, kept.checksum):
        raise VerificationError(
            f"{kept.name} has {found.rows:,} rows, checksum {found.checksum}; the backup has"
            f" {kept.rows:,}, checksum {kept.checksum}."
        )
    say(f"{kept.rows:>12,}  {kept.name}")


def _restore_objects(reader: ArchiveReader, made: Manifest, say: Say) -> None:
    wanted = set(_index(reader, made))
    with ThreadPoolExecutor(objects.THREADS) as threads:
        for archive in reader.stream(made.contents):
            packed = list(members(archive))
            list(threads.map(_put, packed))
            wanted -= {entry for entry, _ in packed}
    if wanted:
        raise VerificationError(
            f"{len(wanted)} objects are missing, {min(wanted).name} among them."
        )
    say(f"{made.objects:>12,}  objects, {made.objects_size / 1e6:,.1f} MB")


def _put(packed: tuple[ManifestEntry, bytes]) -> None:
    entry, content = packed
    objects.put(default_storage, entry.name, content)
    if objects.read(default_storage, entry.name)[0] != entry:
        raise VerificationError(f"{entry.name} arrived with other content.")


def _index(reader: ArchiveReader, made: Manifest) -> Iterator[ManifestEntry]:
    for part in reader.stream(made.index):
        for line in part.splitlines():
            yield msgspec.json.decode(line, type=ManifestEntry)
