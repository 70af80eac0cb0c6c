"""PostgreSQL connection parameters and the test for a broken connection."""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.conf import settings

_NAMES = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}


def connection_parameters(database: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what psycopg needs to reach the configured database, or this entry of DATABASES."""
    database = database or settings.DATABASES["default"]
    named = {ours: database.get(theirs) for theirs, ours in _NAMES.items()}
    options = {key: value for key, value in database.get("OPTIONS", {}).items() if key != "pool"}
    return {**{key: value for key, value in named.items() if value}, **options}


def is_broken(error: psycopg.Error) -> bool:
    """Without a code the connection itself failed; 57P01 to 57P03 say that the server stops."""
    return error.sqlstate is None or error.sqlstate.startswith("57P")
