"""Probes of database, storage and broker; each raises when its backend does not work."""

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
    """Migrations are not applied; the message names the first one."""


def database() -> None:
    """Read from the database and check that all migrations are applied."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    _migrated()


@cache  # an applied migration stays applied; a failure is not remembered
def _migrated() -> None:
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigratedError(f"{len(plan)} migrations are not applied, the first is {plan[0][0]}")


def has_seen_tables() -> bool:
    """Tell whether this process has ever found all migrations applied."""
    return bool(_migrated.cache_info().currsize)


def storage() -> None:
    """Look up an object that does not exist, which checks address and credentials."""
    default_storage.exists("health/absent")


def storage_round_trip() -> None:
    """Write a small object, read it back and delete it; raise OSError if it differs."""
    content = secrets.token_bytes(64)
    name = default_storage.save(f"health/{secrets.token_hex(8)}", ContentFile(content))
    try:
        with default_storage.open(name) as stored:
            if stored.read() != content:
                raise OSError("an object was read back with other content")
    finally:
        default_storage.delete(name)


def broker() -> None:
    """Connect to the broker; raise at once when it refuses."""
    with _broker() as link:
        link.ensure_connection(max_retries=1, timeout=2)


def broker_declares() -> None:
    """Declare and delete a queue, as workers do when they start."""
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
