from typing import Any

from django.core.management.base import BaseCommand

from leadgen.accounts.notifications import retry_parked


class Command(BaseCommand):
    help = "Make parked (dead-lettered) notifications due again, with all their attempts."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{retry_parked()} notifications are due again.")
