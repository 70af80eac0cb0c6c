"""Deletion of backups that are older than their retention time, and of unfinished ones."""

from datetime import UTC, datetime, timedelta

from django.core.files.storage import Storage
from django.utils import timezone

from leadgen.operations.transfer import archive, manifest, objects

# Start of a backup's name: 2026-11-23T030000Z-4f21ab.
_NAME = "%Y-%m-%dT%H%M%SZ"
# Never deleted, whatever their age: a wrong clock or a long stop must not delete the last backup.
MINIMUM = 3
# No backup runs for so long: a killed one left its parts.
_ABANDONED = timedelta(days=2)


def prune(storage: Storage, keep: timedelta) -> list[str]:
    """Delete finished backups older than ``keep`` but for the newest three; return their names."""
    dated = [(at, name) for name in archive.folders(storage) if (at := _made_at(name))]
    oldest = timezone.now() - keep
    expired = [name for at, name in sorted(dated)[:-MINIMUM] if at < oldest]
    for name in expired:
        delete(storage, name)
    return expired


def prune_unfinished(storage: Storage) -> list[str]:
    """Delete what killed backups left, two days after their start; return their names."""
    try:
        names, _ = storage.listdir("")
    except FileNotFoundError:
        return []
    oldest = timezone.now() - _ABANDONED
    dated = {name: at for name in names if (at := _made_at(name)) and at < oldest}
    abandoned = sorted(dated.keys() - archive.folders(storage))
    for name in abandoned:
        delete(storage, name)
    return abandoned


def _made_at(name: str) -> datetime | None:
    """Return the time of the backup; None for a folder with another kind of name."""
    try:
        return datetime.strptime(name.rpartition("-")[0], _NAME).replace(tzinfo=UTC)
    except ValueError:
        return None


def delete(storage: Storage, name: str) -> None:
    """Delete the manifest first, so that the rest of an interrupted deletion is not a backup."""
    storage.delete(f"{name}/{manifest.NAME}")
    for path in list(objects.names(storage, name, spooled=True)):
        storage.delete(path)
    _remove_folders(storage, name)


def _remove_folders(storage: Storage, name: str) -> None:
    """Remove the empty folders; an object storage has none."""
    try:
        folders, _ = storage.listdir(name)
    except FileNotFoundError:
        return
    for folder in filter(None, folders):
        _remove_folders(storage, f"{name}/{folder}")
    storage.delete(name)
