from typing import Any

from django.core.management.base import BaseCommand, CommandError

from leadgen.operations.doctor import Level, examine


class Command(BaseCommand):
    help = "Check every configured backend, and print what to change; exit 1 if one fails."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        styles = {
            Level.OK: self.style.SUCCESS,
            Level.WARN: self.style.WARNING,
            Level.FAIL: self.style.ERROR,
        }
        failed = 0
        for finding in examine():
            self.stdout.write(styles[finding.level](str(finding)))
            failed += finding.level == Level.FAIL
        if failed:
            raise CommandError(f"{failed} of the checks failed.")
