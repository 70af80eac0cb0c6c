import time
from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.core.management.base import BaseCommand, CommandError, CommandParser

from leadgen.lib import backends
from leadgen.operations.models import Backup
from leadgen.operations.moving import archive
from leadgen.operations.moving.backup import backup
from leadgen.operations.moving.faults import MovingError


class Command(BaseCommand):
    help = "Write database and storage, encrypted, to BACKUP_URL; the running app goes on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", nargs="?", default=settings.BACKUP_URL, help="where to")
        parser.add_argument(
            "--recipient", action="append", metavar="age1…", help="encrypt for this public key"
        )
        parser.add_argument("--make-key", action="store_true", help="print a new key pair, no more")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["make_key"]:
            secret, public = archive.make_key()
            self.stdout.write(f"BACKUP_RECIPIENTS={public}\nBACKUP_IDENTITY={secret}")
            return
        if not options["url"]:
            raise CommandError("Where to? Set BACKUP_URL or give file:///path or s3://bucket/….")
        target = storages.create_storage(backends.storage(options["url"], "BACKUP_URL"))
        try:
            keys = archive.recipients(options["recipient"] or settings.BACKUP_RECIPIENTS)
            started = time.perf_counter()
            name, made = backup(target, keys, self.stdout.write)
        except MovingError as error:
            raise CommandError(str(error)) from error
        seconds = time.perf_counter() - started
        Backup.objects.record(name, made, seconds)
        self.stdout.write(
            f"{name}: {made.rows:,} rows and {made.objects:,} objects in {made.size / 1e6:,.1f} MB,"
            f" {seconds:.1f} s"
        )
