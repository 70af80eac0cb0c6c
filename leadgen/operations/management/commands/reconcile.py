import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.timesince import timesince

from leadgen.operations.reconcile import SHOWN, BalanceSheet, measure


class Command(BaseCommand):
    help = "Account for every submission; exit 1 and list those that are unaccounted for."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the balance as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        balance = measure()
        text = _as_json(balance) if options["json"] else "\n".join(_in_words(balance))
        self.stdout.write(text)
        if balance.unaccounted:
            sys.exit(1)


def _as_json(balance: BalanceSheet) -> str:
    return json.dumps({"total": balance.total, **asdict(balance)}, default=str, indent=2)


def _in_words(balance: BalanceSheet) -> list[str]:
    lines = [f"{balance.total:>12,}  submissions, of which"]
    lines += [f"{count:>12,}  {place}" for place, count in balance.places.items()]
    if balance.oldest_waiting:
        age = timesince(balance.oldest_waiting, balance.at).replace("\xa0", " ")
        lines.append(f"{'':>12}  the oldest has waited {age}")
    if balance.spooled is None:
        lines.append(f"{'':>12}  the spool is unavailable: check STORAGE_URL")
    elif balance.spooled:
        lines.append(f"{'':>12}  {balance.spooled:,} of these are in the spool")
    if not balance.unaccounted:
        return [*lines, "Every submission is accounted for."]
    lines.append(f"{balance.unaccounted:>12,}  UNACCOUNTED FOR; the first {SHOWN} at most:")
    return lines + [f"  {fault.receipt}  {fault.problem}" for fault in balance.faults]
