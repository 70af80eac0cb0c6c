#!/usr/bin/env python
"""Entry point of every command: migrate, doctor, reconcile, demo."""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError

_NO_CONNECTION = """Database unavailable: {reason}
Check DATABASE_URL, its host and its password. To replace a lost password see
deploy/docs/runbooks/rotate-secrets.md (Docker Compose: deploy/docs/compose.md, Secrets)."""


def main() -> None:
    """Run the command; end with one message instead of a traceback without a connection."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadgen.settings")
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        # psycopg has no SQLSTATE where no connection was made.
        if getattr(error.__cause__, "sqlstate", None) is not None:
            raise
        sys.exit(_NO_CONNECTION.format(reason=str(error).strip()))


if __name__ == "__main__":
    main()
