"""Write the search text of all contacts again, in chunks."""

from typing import Any

from django.core.management.base import BaseCommand

from leadgen.leads.models import Contact

# One transaction a chunk: intake waits for a chunk's contacts only (1 s at most on two cores).
_CHUNK = 5_000


class Command(BaseCommand):
    help = (
        "Write the search text of all contacts again. Run it once after an upgrade, when no process"
        " of the release before is active: that release leaves out second addresses and numbers."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        last, count = 0, 0
        while keys := list(self._keys_after(last)):
            count += Contact.objects.filter(pk__in=keys).reindex()
            last = keys[-1]
        self.stdout.write(f"{count:,} contacts were indexed.")

    def _keys_after(self, last: int) -> Any:
        rows = Contact.objects.filter(pk__gt=last).order_by("pk")
        return rows.values_list("pk", flat=True)[:_CHUNK]
