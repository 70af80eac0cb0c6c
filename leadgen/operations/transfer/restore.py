"""Restore of a backup into an empty deployment, verified while reading and after writing."""

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

Report = Callable[[str], None]

# Tables that `migrate` itself fills in an empty database.
_WRITTEN_BY_MIGRATE = {"auth_permission", "django_content_type"}


def refuse_unless_empty(connection: Connection, storage: Storage) -> None:
    """Raise NotEmptyError for a database with rows or a storage with objects."""
    if names := tables.non_empty_tables(connection, but=_WRITTEN_BY_MIGRATE):
        raise NotEmptyError(
            f"the database holds rows in {', '.join(names[:5])}"
            f"{f' and {len(names) - 5} more tables' if names[5:] else ''}: choose an"
            " empty database."
        )
    if name := next(objects.names(storage, spooled=True), None):
        raise NotEmptyError(f"the storage holds {name}: choose an empty bucket, prefix or folder.")


def _refuse_unless_idle(connection: Connection) -> None:
    own = int(django_connection.connection is not None)
    if others := read_only.sessions(connection, seconds=0) - own:
        raise InUseError(f"{others} connections to this database are open: stop every process.")


def restore(reader: ArchiveReader, report: Report) -> Manifest:
    """Fill this deployment from a backup; raise TransferError before the database is changed.

    The steps after the commit (migrate, rebase_events) can be repeated alone when they fail.
    """
    manifest = reader.manifest()
    report(f"The backup of {manifest.at:%Y-%m-%d %H:%M:%S} UTC by version {manifest.version}")
    with tables.connect(connection_parameters()) as connection:
        refuse_unless_empty(connection, default_storage)
        _refuse_unless_idle(connection)
        _make_tables(manifest)
        _restore_objects(reader, manifest, report)
        with connection.transaction():
            tables.set_text_formats(connection)
            _load(connection, reader, manifest, report)
        connection.execute("ANALYZE")
    call_command("migrate", verbosity=0)
    rebase()
    return manifest


def _make_tables(manifest: Manifest) -> None:
    """Create the schema of the time of the backup; later migrations are applied afterwards."""
    executor = MigrationExecutor(django_connection)
    backup_migrations = set(manifest.migrations)
    if unknown := backup_migrations - set(executor.loader.graph.nodes):
        raise SchemaMismatchError(
            f"migration {min(unknown)} is unknown to this version: restore with"
            f" version {manifest.version}."
        )
    if ahead := set(executor.loader.applied_migrations) - backup_migrations:
        raise SchemaMismatchError(
            f"the database has {min(ahead)}, which is newer than the backup: set DATABASE_URL to"
            " one without tables, and restore creates and migrates them."
        )
    graph = executor.loader.graph
    leaves = [
        key
        for key in backup_migrations
        if not any(child.key in backup_migrations for child in graph.node_map[key].children)
    ]
    executor.migrate(leaves)


def _load(
    connection: Connection, reader: ArchiveReader, manifest: Manifest, report: Report
) -> None:
    current_tables = tables.tables(connection)
    actual = {(table.name, table.columns) for table in current_tables}
    expected = {(table.name, table.columns) for table in manifest.tables}
    if actual != expected:
        name, _ = min(actual ^ expected)
        raise SchemaMismatchError(
            f"{name} differs from the backup's: restore with version {manifest.version}."
        )
    with copy.without_constraints(connection):
        copy.empty(connection, current_tables)
        for saved in manifest.tables:
            _fill(connection, reader, saved, report)
        report("Making indexes and foreign keys …")
    tables.set_sequences(connection, manifest.sequences)


def _fill(connection: Connection, reader: ArchiveReader, saved: TableParts, report: Report) -> None:
    table = Table(saved.name, saved.columns)
    copy.copy_in(connection, table, reader.stream(saved.parts))
    content = tables.content(connection, table)
    if (content.rows, content.checksum) != (saved.rows, saved.checksum):
        raise VerificationError(
            f"{saved.name} has {content.rows:,} rows, checksum {content.checksum}; the backup has"
            f" {saved.rows:,}, checksum {saved.checksum}."
        )
    report(f"{saved.rows:>12,}  {saved.name}")


def _restore_objects(reader: ArchiveReader, manifest: Manifest, report: Report) -> None:
    missing = set(_index(reader, manifest))
    with ThreadPoolExecutor(objects.THREADS) as threads:
        for archive in reader.stream(manifest.contents):
            packed = list(members(archive))
            list(threads.map(_put, packed))
            missing -= {entry for entry, _ in packed}
    if missing:
        raise VerificationError(
            f"{len(missing)} objects are missing, for example {min(missing).name}."
        )
    report(f"{manifest.objects:>12,}  objects, {manifest.objects_size / 1e6:,.1f} MB")


def _put(packed: tuple[ManifestEntry, bytes]) -> None:
    entry, content = packed
    objects.put(default_storage, entry.name, content)
    if objects.read(default_storage, entry.name)[0] != entry:
        raise VerificationError(f"{entry.name} was written with other content.")


def _index(reader: ArchiveReader, manifest: Manifest) -> Iterator[ManifestEntry]:
    for part in reader.stream(manifest.index):
        for line in part.splitlines():
            yield msgspec.json.decode(line, type=ManifestEntry)
