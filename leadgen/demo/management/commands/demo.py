"""manage.py demo"""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from leadgen.demo import organisation
from leadgen.demo.fill import ForeignFormsError, fill


class Command(BaseCommand):
    help = "Fill an empty database with a fictitious organisation; a second run changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--force",
            action="store_true",
            help="allow DEBUG off or a database with forms; the passwords are publicly known",
        )

        parser.add_argument(
            "--if-empty",
            action="store_true",
            help="a database with other forms is no error: change nothing",
        )

    def handle(
        self, *args: Any, force: bool = False, if_empty: bool = False, **options: Any
    ) -> None:
        if not settings.DEBUG and not force:
            raise CommandError(
                "The demo needs DEBUG=true: its passwords are publicly known. "
                "Use --force on a system that other people cannot reach."
            )
        try:
            filled = fill(force=force)
        except ForeignFormsError:
            if if_empty:
                self.stdout.write("The database has forms of its own: no demo was added.")
                return
            raise CommandError(
                "This database has forms already. Use an empty one, or --force to add the demo."
            ) from None
        self.stdout.write(
            f"Log in as {organisation.ADMIN} with the password {organisation.PASSWORD}."
            if filled
            else "The demo data exists already."
        )
