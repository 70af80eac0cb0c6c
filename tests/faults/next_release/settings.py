"""The next release's: one application more, whose migrations change the ledger."""

from leadgen.settings import *  # noqa: F403
from leadgen.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [*OURS, "tests.faults.next_release"]
