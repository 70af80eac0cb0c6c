from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS

from leadgen.operations.migration_lock import TIMEOUT_SECONDS, MigrationLockError, migration_lock


class Command(migrate.Command):
    help = f"{migrate.Command.help} One process at a time: a second one waits for the first."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-timeout",
            type=float,
            default=TIMEOUT_SECONDS,
            metavar="SECONDS",
            help="how long to wait for another migrate; default %(default)s",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        timeout = options.pop("lock_timeout", TIMEOUT_SECONDS)
        changes_nothing = options["check_unapplied"] or options["plan"]
        if changes_nothing or options["database"] != DEFAULT_DB_ALIAS:
            super().handle(*args, **options)
            return
        try:
            with migration_lock(self._report, timeout):
                super().handle(*args, **options)
        except MigrationLockError as error:
            raise CommandError(str(error)) from error

    def _report(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
