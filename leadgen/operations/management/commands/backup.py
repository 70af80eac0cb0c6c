import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.core.management.base import BaseCommand, CommandError, CommandParser

from leadgen.lib import backends
from leadgen.operations.models import Backup
from leadgen.operations.transfer import archive
from leadgen.operations.transfer.backup import backup
from leadgen.operations.transfer.errors import KeyFaultError, TransferError
from leadgen.operations.transfer.scheduled.retention import prune, prune_unfinished
from leadgen.operations.transfer.scheduled.schedule import repeat


class Command(BaseCommand):
    help = "Write database and storage, encrypted, to BACKUP_URL, while the deployment runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "url",
            nargs="?",
            default=settings.BACKUP_URL,
            help="place of the backups; default: BACKUP_URL",
        )
        parser.add_argument(
            "--recipient", action="append", metavar="age1…", help="encrypt for this public key"
        )
        parser.add_argument("--make-key", action="store_true", help="print a new key pair only")
        parser.add_argument(
            "--keep-days",
            type=float,
            metavar="DAYS",
            help="delete older backups before and after a new one, but for the newest three",
        )
        parser.add_argument(
            "--every-hours",
            type=float,
            metavar="HOURS",
            help="run without end: make a backup whenever the newest one is older than this",
        )
        parser.add_argument(
            "--status-file", type=Path, help="exists while the last backup has succeeded"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["make_key"]:
            secret, public = archive.make_key()
            self.stdout.write(f"BACKUP_RECIPIENTS={public}\nBACKUP_IDENTITY={secret}")
            return
        if not options["url"]:
            raise CommandError(
                "The place of the backups is missing: set BACKUP_URL or pass file:///path or s3://bucket/…."
            )
        target = storages.create_storage(
            backends.storage(options["url"], "BACKUP_URL", private=False)
        )
        try:
            keys = archive.recipients(options["recipient"] or settings.BACKUP_RECIPIENTS)
        except KeyFaultError as error:
            raise CommandError(str(error)) from error

        def once() -> None:
            self._backup(target, keys, options["keep_days"])

        try:
            if options["every_hours"]:
                interval = timedelta(hours=options["every_hours"])
                repeat(once, interval, options["status_file"], self.stderr.write)
            once()
        except TransferError as error:
            raise CommandError(str(error)) from error

    def _backup(self, target: Storage, keys: list[Any], keep_days: float | None) -> None:
        # Before the new one, which may need the space of the expired ones.
        self._prune(target, keep_days)
        started = time.perf_counter()
        name, manifest = backup(target, keys, self.stdout.write)
        seconds = time.perf_counter() - started
        Backup.objects.record(name, manifest, seconds)
        self.stdout.write(
            f"{name}: {manifest.rows:,} rows and {manifest.objects:,} objects"
            f" in {manifest.size / 1e6:,.1f} MB, {seconds:.1f} s"
        )
        self._prune(target, keep_days)
        self.stdout.flush()

    def _prune(self, target: Storage, keep_days: float | None) -> None:
        if keep_days is None:
            return
        for abandoned in prune_unfinished(target):
            self.stdout.write(f"{abandoned}: deleted, unfinished")
        for expired in prune(target, timedelta(days=keep_days)):
            self.stdout.write(f"{expired}: deleted, older than {keep_days:g} days")
