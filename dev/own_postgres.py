"""A pytest plugin: each worker of pytest-xdist uses a PostgreSQL of its own.

Tests look at the sessions of the whole server and hold roles and prepared transactions, which all
databases of a server share.
"""

import os

_NAME = f"DATABASE_URL_{os.environ.get('PYTEST_XDIST_WORKER', '')}"

if own := os.environ.get(_NAME):
    os.environ["DATABASE_URL"] = own
