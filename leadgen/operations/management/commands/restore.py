import time
from typing import Any

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from psycopg import errors

from leadgen.lib import backends, env
from leadgen.operations.models import Backup
from leadgen.operations.transfer import archive, child_process
from leadgen.operations.transfer.errors import TransferError
from leadgen.operations.transfer.restore import restore
from leadgen.operations.transfer.restore_check import check


class Command(BaseCommand):
    help = "Restore a backup into this empty deployment, and verify every table and object."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "url",
            nargs="?",
            default=settings.BACKUP_URL,
            help="place of the backups; default: BACKUP_URL",
        )
        parser.add_argument("--name", help="name of the backup; default: the newest")
        parser.add_argument("--list", action="store_true", help="print the names only")
        parser.add_argument(
            "--check", action="store_true", help="restore into a temporary database, then drop it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        url = options["url"]
        if not url:
            raise CommandError(
                "The place of the backups is missing: set BACKUP_URL or pass file:///path or s3://bucket/…."
            )
        storage = storages.create_storage(backends.storage(url, "BACKUP_URL"))
        if options["list"]:
            self.stdout.write("\n".join(archive.folders(storage)))
            return
        name = options["name"] or _newest(storage, url)
        try:
            with child_process.exit_on_sigterm():
                self._check(url, name) if options["check"] else self._restore(storage, name)
        except TransferError as error:
            raise CommandError(str(error)) from error
        except errors.InsufficientPrivilege as error:
            raise CommandError(
                f"{error} Permit the role to create databases: ALTER ROLE … CREATEDB."
            ) from error

    def _restore(self, storage: Storage, name: str) -> None:
        started = time.perf_counter()
        key = archive.identity(env.string("BACKUP_IDENTITY"))
        manifest = restore(archive.ArchiveReader(storage, name, key), self.stdout.write)
        self.stdout.write(
            f"{name}: {manifest.rows:,} rows and {manifest.objects:,} objects restored,"
            f" {time.perf_counter() - started:.1f} s"
        )
        call_command("reconcile", stdout=self.stdout)

    def _check(self, url: str, name: str) -> None:
        check(url, name, self.stdout.write)
        Backup.objects.checked(name)
        self.stdout.write(f"{name} can be restored.")


def _newest(storage: Storage, url: str) -> str:
    if found := archive.folders(storage):
        return found[-1]
    raise CommandError(f"There is no finished backup in {url}.")
