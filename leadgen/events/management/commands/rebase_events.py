from typing import Any

from django.core.management.base import BaseCommand

from leadgen.events.consumers import rebase


class Command(BaseCommand):
    help = "After a restore into a new server: fit the event log to its transaction numbers."

    def handle(self, *args: Any, **options: Any) -> None:
        moved = rebase()
        self.stdout.write(
            f"{moved:,} events now precede all transactions of this server."
            if moved
            else "Every event precedes the transactions of this server already."
        )
