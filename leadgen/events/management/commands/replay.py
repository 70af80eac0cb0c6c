from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from leadgen.events.consumers import pipeline, replay
from leadgen.events.models import Cursor, Event


class Command(BaseCommand):
    help = "Have a consumer read the event log again, from the beginning or after one event."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("consumer", choices=sorted(pipeline()))
        parser.add_argument("--after", type=int, metavar="ID", help="the last event to leave out")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            after = Event.objects.get(pk=options["after"]) if options["after"] else None
            replay(options["consumer"], after=after)
        except Event.DoesNotExist:
            raise CommandError(f"There is no event {options['after']}.") from None
        except Cursor.DoesNotExist:
            raise CommandError(f"{options['consumer']} has not read anything yet.") from None
        self.stdout.write(f"{options['consumer']} will read again.")
