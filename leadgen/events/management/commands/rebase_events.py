from typing import Any

from django.core.management.base import BaseCommand

from leadgen.events.consumers import rebase


class Command(BaseCommand):
    help = "After a restore into a new server: fit the event log to its transaction numbers."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{rebase():,} events now precede all transactions of this server.")
