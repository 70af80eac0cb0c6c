"""A worker without a broker: runs the task that Celery would run; inside Django."""

import sys
import time

from leadgen.capture.models import Submission
from leadgen.leads.tasks import intake


def main() -> None:
    """For each line that comes in, work until nothing waits; print the seconds it took."""
    for _ in sys.stdin:
        started = time.monotonic()
        while Submission.objects.waiting().exists():
            intake()
        sys.stdout.write(f"{time.monotonic() - started}\n")
        sys.stdout.flush()
