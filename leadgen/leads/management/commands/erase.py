import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from leadgen.capture.spool import store
from leadgen.leads.persons import erasure
from leadgen.leads.persons.former import former_contacts

_FORMER = (
    "Contact {0} sent this earlier and is known by another address now. If it is the same person, "
    "run the command with {0}."
)


class Command(BaseCommand):
    help = (
        "Erase a person's data to tombstones. Without --yes only print what would be erased "
        "(docs/operating/erasure.md)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", help="email address, phone number with +, or contact number")
        parser.add_argument("--yes", action="store_true", help="erase; this cannot be undone")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            person = erasure.find(options["person"])
        except (ValueError, erasure.AmbiguousPersonError) as error:
            raise CommandError(str(error)) from error
        try:
            outcome = erasure.erase(person) if options["yes"] else erasure.plan(person)
        except store.UnavailableError as error:
            text = "The spool cannot be searched, nothing was erased; run the command again"
            raise CommandError(f"{text}: {error}") from error
        self._report(outcome, is_done=options["yes"])
        former = [] if person.contacts else former_contacts(person)
        for contact in former:
            self.stdout.write(_FORMER.format(contact))
        if (
            (options["yes"] and former)
            or outcome.spool.kept
            or (options["yes"] and outcome.spool.unreadable)
        ):
            sys.exit(1)

    def _report(self, outcome: erasure.Erasure, *, is_done: bool) -> None:
        counts = {
            "contacts": outcome.contacts,
            "leads, anonymised": outcome.leads,
            "submissions on leads": outcome.submissions,
            "submissions on no lead": outcome.on_no_lead,
            "submissions in the spool": outcome.spool.erased,
            "notes": outcome.notes,
            "tasks": outcome.tasks,
        }
        self.stdout.write("Erased:" if is_done else "Would be erased (--yes erases):")
        for name, count in counts.items():
            self.stdout.write(f"{count:>12,}  {name}")
        for name in outcome.spool.kept:
            self.stdout.write(f"NOT ERASED, refused by the database: {name}")
        for name in outcome.spool.unreadable:
            self.stdout.write(f"cannot be read, look at it by hand: {name}")
