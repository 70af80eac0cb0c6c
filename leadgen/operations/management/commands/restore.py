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
from leadgen.operations.transfer.errors import MovingError
from leadgen.operations.transfer.restore import restore
from leadgen.operations.transfer.restore_check import check


class Command(BaseCommand):
    help = "Fill this empty deployment from a backup, and prove that everything has arrived."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", nargs="?", default=settings.BACKUP_URL, help="where from")
        parser.add_argument("--name", help="which one; the newest if not given")
        parser.add_argument("--list", action="store_true", help="print the names, no more")
        parser.add_argument(
            "--check", action="store_true", help="restore beside this deployment, then throw away"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        url = options["url"]
        if not url:
            raise CommandError("Where from? Set BACKUP_URL or give file:///path or s3://bucket/….")
        storage = storages.create_storage(backends.storage(url, "BACKUP_URL"))
        if options["list"]:
            self.stdout.write("\n".join(archive.folders(storage)))
            return
        name = options["name"] or _newest(storage, url)
        try:
            with child_process.exit_on_sigterm():
                self._check(url, name) if options["check"] else self._restore(storage, name)
        except MovingError as error:
            raise CommandError(str(error)) from error
        except errors.InsufficientPrivilege as error:
            raise CommandError(f"{error} Let the role: ALTER ROLE … CREATEDB.") from error

    def _restore(self, storage: Storage, name: str) -> None:
        started = time.perf_counter()
        key = archive.identity(env.string("BACKUP_IDENTITY"))
        made = restore(archive.ArchiveReader(storage, name, key), self.stdout.write)
        self.stdout.write(
            f"{name}: {made.rows:,} rows and {made.objects:,} objects are as they were,"
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
