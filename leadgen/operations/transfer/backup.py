"""Backup of the database in one snapshot and of every object in the storage."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
from django.conf import settings
from django.core.files.storage import Storage, default_storage
from django.utils import timezone

from leadgen.capture.spool import store
from leadgen.lib.postgresql.connections import connection_parameters
from leadgen.operations.transfer import copy, objects, tables
from leadgen.operations.transfer.archive import ArchiveWriter, chunks
from leadgen.operations.transfer.errors import SchemaMismatchError
from leadgen.operations.transfer.manifest import Manifest, TableParts
from leadgen.operations.transfer.scheduled import retention
from leadgen.operations.transfer.scheduled import target as target_check
from leadgen.operations.transfer.tables import Connection, Table
from leadgen.operations.transfer.tar import TarPacker

Report = Callable[[str], None]


def backup(target: Storage, keys: list[Any], report: Report) -> tuple[str, Manifest]:
    """Write a backup of this deployment, encrypted for these keys; return its name and manifest.

    Raise SchemaMismatchError for a target inside the storage, where each backup would contain all
    earlier ones, and for a folder that cannot be written or is lost with this container. A backup
    that fails leaves nothing: on a full disk each attempt would take what the next one needs.
    """
    _check_target(target)
    at = timezone.now()
    name = f"{at:%Y-%m-%dT%H%M%SZ}-{secrets.token_hex(3)}"
    try:
        return name, _write(ArchiveWriter(target, name, keys), at, report)
    except BaseException:
        with suppress(Exception):  # the first error tells more
            retention.delete(target, name)
        raise


def _write(writer: ArchiveWriter, at: datetime, report: Report) -> Manifest:
    packing = TarPacker(default_storage)
    # The spool before the snapshot: submissions replayed meanwhile are in the snapshot. All other
    # objects after it: an object is written before the row that names it.
    spooled = objects.names(default_storage, store.FOLDER, spooled=True)
    contents = writer.stream("spool", packing.archives(spooled))
    with tables.connect(connection_parameters()) as connection, tables.snapshot(connection):
        history = tables.applied_migrations(connection)
        table_parts = [
            _table(connection, table, writer, report) for table in tables.tables(connection)
        ]
        sequences = tables.sequences(connection)
    others = objects.names(default_storage, spooled=False)
    contents += writer.stream("objects", packing.archives(others))
    entries = packing.entries.values()
    manifest = Manifest(
        version=settings.VERSION,
        at=at,
        migrations=history,
        tables=table_parts,
        sequences=sequences,
        objects=len(entries),
        objects_size=sum(entry.size for entry in entries),
        contents=contents,
        index=writer.stream("index", chunks(msgspec.json.encode(each) + b"\n" for each in entries)),
    )
    report(f"{manifest.objects:>12,}  objects, {manifest.objects_size / 1e6:,.1f} MB")
    writer.finish(manifest)
    return manifest


def _check_target(target: Storage) -> None:
    if objects.is_within(target, default_storage):
        raise SchemaMismatchError(
            "BACKUP_URL is inside STORAGE_URL: set another bucket, prefix or folder."
        )
    target_check.refuse_unfit_folder(target)


def _table(
    connection: Connection, table: Table, writer: ArchiveWriter, report: Report
) -> TableParts:
    content = tables.content(connection, table)
    rows = copy.read(connection, table)
    parts = writer.stream(f"tables/{table.name}", chunks(rows))
    report(f"{content.rows:>12,}  {table.name}, {sum(part.size for part in parts) / 1e6:,.1f} MB")
    return TableParts(table.name, table.columns, content.rows, content.checksum, parts)
