"""A pytest plugin: each worker of pytest-xdist uses a PostgreSQL of its own.

The event log waits for every transaction still open in the same server, other databases
included, so the tests of one worker would hold up those of another.
"""

import os

_NAME = f"DATABASE_URL_{os.environ.get('PYTEST_XDIST_WORKER', '')}"

if own := os.environ.get(_NAME):
    os.environ["DATABASE_URL"] = own
