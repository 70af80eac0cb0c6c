from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser

from leadgen.lib import env
from leadgen.operations.transfer import child_process, move
from leadgen.operations.transfer.errors import TransferError

NEXT = """Now:
  1. Start every process with the new environment and route visitors to it.
  2. Stop every process of the old one. Until then it accepts submissions into its spool.
  3. Run `manage.py move --finish` with the same settings as now: it copies the last spooled
     submissions.
To go back instead: manage.py move --cancel, before any process starts on the new backends."""

AFTER_A_FAULT = "If the source is still read-only, run: manage.py move --cancel"


class Command(BaseCommand):
    help = (
        "Move this running deployment to the backends that TARGET_DATABASE_URL, TARGET_STORAGE_URL"
        " and TARGET_BROKER_URL name, or the lines NAME=value of a file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to-env", type=Path, metavar="FILE", help="the new environment")
        parser.add_argument(
            "--finish",
            action="store_true",
            help="after the switch: copy the last spooled submissions",
        )
        parser.add_argument("--cancel", action="store_true", help="make the source writable again")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["cancel"]:
                move.cancel()
                return self.stdout.write("The source can be written again.")
            job = move.Move(_target(options["to_env"]), self.stdout.write)
            if options["finish"]:
                count = move.finish(job)
                return self.stdout.write(
                    f"All {count:,} submissions of the old spool have arrived."
                )
            with child_process.exit_on_sigterm():
                seconds = move.move(job)
        except TransferError as error:
            raise CommandError(str(error)) from error
        except psycopg.Error as error:
            raise CommandError(f"{error} {AFTER_A_FAULT}") from error
        return self.stdout.write(f"Nothing is missing. The pause took {seconds:.1f} s.\n{NEXT}")


def _target(path: Path | None) -> dict[str, str]:
    target = {
        "DATABASE_URL": env.string("TARGET_DATABASE_URL"),
        "STORAGE_URL": env.string("TARGET_STORAGE_URL"),
        "BROKER_URL": env.string("TARGET_BROKER_URL"),
    }
    if path:
        lines = path.read_text(encoding="utf-8").splitlines()
        named = (line.strip().partition("=") for line in lines if not line.startswith("#"))
        target |= {name: value for name, _, value in named if value}
    if missing := [name for name, value in target.items() if not value]:
        raise CommandError(
            f"The target is missing: set {', '.join(f'TARGET_{name}' for name in missing)}."
        )
    return target
