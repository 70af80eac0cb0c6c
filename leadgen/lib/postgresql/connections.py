"""PostgreSQL connection parameters and the test for a broken connection."""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.conf import settings

_NAMES = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}


def connection_parameters(database: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return psycopg's parameters for the configured database, or for this entry of DATABASES."""
    database = database or settings.DATABASES["default"]
    named = {name: database.get(key) for key, name in _NAMES.items()}
    options = {key: value for key, value in database.get("OPTIONS", {}).items() if key != "pool"}
    return {**{key: value for key, value in named.items() if value}, **options}


def is_broken(error: psycopg.Error) -> bool:
    """Tell whether the connection is lost: no SQLSTATE, or 57P01 to 57P03 (server shutdown)."""
    return error.sqlstate is None or error.sqlstate.startswith("57P")
