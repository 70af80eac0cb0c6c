import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from leadgen.lib.net.timeouts import run_with_timeout
from leadgen.operations import probes

PAUSE_SECONDS = 2.0
# A host that answers nothing: psycopg alone would wait for minutes.
_CONNECT_SECONDS = 10.0


class Command(BaseCommand):
    help = (
        "Wait until all migrations are applied. While the schema is unknown, because the database"
        " is unavailable, wait --unknown-for seconds and then end with success: web starts, is not"
        " ready before it has seen the tables, and needs no restart when the database is back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--unknown-for",
            type=float,
            default=20.0,
            metavar="SECONDS",
            help="default %(default)s",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        deadline = time.monotonic() + options["unknown_for"]
        while (fault := _fault()) is not None:
            if isinstance(fault, probes.NotMigratedError):
                deadline = time.monotonic() + options["unknown_for"]
                self._say(f"waiting: {fault}")
            elif time.monotonic() >= deadline:
                self._say(f"starting without the database: {type(fault).__name__}")
                return
            else:
                self._say(f"database unavailable: {type(fault).__name__}")
            time.sleep(PAUSE_SECONDS)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _fault() -> Exception | None:
    try:
        run_with_timeout(_CONNECT_SECONDS, probes.database)
    except Exception as fault:
        return fault
    return None
