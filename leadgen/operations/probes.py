"""What this deployment stands on, each asked for real; raises when it does not work."""

import secrets
from functools import cache

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from kombu import Connection, Queue

from leadgen.lib import backends


class NotMigratedError(Exception):
    """Migrations wait to be applied; the message names the first of them."""


def database() -> None:
    """Read from the database, and find its tables as this code needs them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    _migrated()


@cache  # an applied migration stays applied; a failure is not remembered
def _migrated() -> None:
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigratedError(f"{len(plan)} migrations wait, the first is {plan[0][0]}")


def has_seen_tables() -> bool:
    """Whether this process has ever found the tables as its code needs them."""
    return bool(_migrated.cache_info().currsize)


def storage() -> None:
    """Ask for an object that is not there: the place and the credentials answer for it."""
    default_storage.exists("health/absent")


def storage_round_trip() -> None:
    """Write a small object, read it back and delete it; raise OSError if it came back changed."""
    content = secrets.token_bytes(64)
    name = default_storage.save(f"health/{secrets.token_hex(8)}", ContentFile(content))
    try:
        with default_storage.open(name) as stored:
            if stored.read() != content:
                raise OSError("an object came back changed")
    finally:
        default_storage.delete(name)


def broker() -> None:
    """Connect to the broker; raise at once when it refuses."""
    with _broker() as link:
        link.ensure_connection(max_retries=1, timeout=2)


def broker_declares() -> None:
    """Make and remove a queue, as workers do when they start."""
    with _broker() as link:
        link.ensure_connection(max_retries=1, timeout=2)
        queue = Queue(f"leadgen-doctor-{secrets.token_hex(4)}", auto_delete=True, durable=False)
        bound = queue(link.default_channel)
        bound.declare()
        bound.delete()


def _broker() -> Connection:
    config = backends.broker(settings.BROKER_URL)
    return Connection(
        config["broker_url"],
        connect_timeout=2,
        transport_options=config["broker_transport_options"],
    )
