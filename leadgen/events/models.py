"""Append-only event log: activity feed, audit trail and outbox in one table."""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import connection, models
from django.db.models.expressions import Func
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan
from django.db.models.functions import Now

from leadgen.events.actors import LABEL_MAX_LENGTH, Actor, ActorType, actor_of

# Before every event, also those that rebase() has put below zero.
BEGINNING = -(2**63)


class CurrentTransactionId(Func):
    """PostgreSQL's id of the running transaction: a 64-bit number that never wraps around."""

    function = "pg_current_xact_id"
    template = "%(function)s()::text::bigint"
    output_field = models.BigIntegerField()
    arity = 0


_DATABASE = "(SELECT oid FROM pg_database WHERE datname = current_database())"


class OldestRunningTransactionId(Func):
    """Lowest id of a transaction that may still write events: all below have ended.

    PostgreSQL gives ids to the transactions of all databases of a server. One counts here unless it
    is known to run, or to be prepared, in another database (ADR 0033). The snapshot is taken before
    the sessions are read, so a running transaction of this database is never left out; at worst one
    of another database counts. Ids of sessions may be read without any right. A sub-select, so that
    PostgreSQL evaluates it once for each statement.
    """

    template = (
        "(SELECT coalesce(min(running.id::text::bigint),"  # noqa: S608 - constants
        " pg_snapshot_xmax(pg_current_snapshot())::text::bigint)"
        " FROM pg_snapshot_xip(pg_current_snapshot()) AS running(id)"
        " WHERE NOT EXISTS (SELECT FROM pg_stat_get_activity(NULL) AS session"
        f" WHERE session.backend_xid = running.id::xid AND session.datid <> {_DATABASE})"
        " AND NOT EXISTS (SELECT FROM pg_prepared_xact() AS prepared"
        f" WHERE prepared.transaction = running.id::xid AND prepared.dbid <> {_DATABASE}))"
    )
    output_field = models.BigIntegerField()
    arity = 0


class EventQuerySet(models.QuerySet["Event"]):
    def about(self, subject: models.Model) -> Self:
        """The events of one row, such as a lead or a form."""
        return self.filter(subject_type=subject._meta.model_name, subject_id=str(subject.pk))

    def settled(self) -> Self:
        """The events that no running transaction can still precede."""
        return self.filter(transaction__lt=OldestRunningTransactionId())

    def after(self, transaction: int, event_id: int) -> Self:
        """The events after this place in the log, in order (keyset page on one index)."""
        place = Tuple(models.F("transaction"), models.F("id"))
        return self.filter(TupleGreaterThan(place, (transaction, event_id))).order_by(
            "transaction", "id"
        )


class Event(models.Model):
    """A fact of the domain, written in the transaction of its change (transactional outbox).

    Consumers read in the order (transaction, id) and stop below the oldest running transaction,
    so an event that commits late is never skipped.

    ``actor`` is the former column of the author; actor_type, actor_key and actor_label replace it.
    Both are written, and events of the release before have ``actor`` only. Two releases after 0.1
    the former column goes, and actor_key becomes actor_id (deploy/docs/migrations.md).
    """

    id = models.BigAutoField(primary_key=True)
    transaction = models.BigIntegerField(db_default=CurrentTransactionId(), editable=False)
    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=60)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    # NULL where the release before wrote the event; adding them rewrites no row of the log.
    actor_type = models.CharField(max_length=20, null=True, editable=False)  # noqa: DJ001
    actor_key = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001
    actor_label = models.CharField(  # noqa: DJ001
        "actor", max_length=LABEL_MAX_LENGTH, null=True, editable=False
    )
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=36)
    data = models.JSONField(default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["transaction", "id"], name="event_order"),
            models.Index(fields=["subject_type", "subject_id", "-id"], name="event_subject"),
            # Most events are Leadgen's own and have none.
            models.Index(
                fields=["actor"], name="event_actor", condition=models.Q(actor__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_type} {self.subject_id}"

    @property
    def author(self) -> Actor:
        """The actor; read from the former column where the release before wrote the event."""
        if self.actor_type is not None:
            kind = ActorType(self.actor_type)
            return Actor(kind, self.actor_key or "", self.actor_label or "")
        return actor_of(self.actor)


class CursorManager(models.Manager["Cursor"]):
    def claim(self, consumer: str) -> "Cursor | None":
        """Take the consumer's advisory lock until the transaction ends and return its cursor.

        Return None while another process holds the lock, or while a failed event waits.
        """
        if not _lock("pg_try_advisory_xact_lock", consumer):
            return None
        due = models.Q(attempts=0) | models.Q(next_at__lte=Now())
        return self.filter(due, consumer=consumer).first()

    def hold(self, consumer: str) -> "Cursor":
        """Like claim, but wait for the lock, and ignore the wait of a failed event."""
        _lock("pg_advisory_xact_lock", consumer)
        return self.get(consumer=consumer)


def _lock(function: str, consumer: str) -> bool:
    # Not FOR UPDATE: a row lock assigns the transaction an id. While a handler runs, that id would
    # keep newer events unsettled for every other consumer.
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [f"consumer {consumer}"])
        row: tuple[bool] = cursor.fetchone()
    return row[0]


class Cursor(models.Model):
    """Position of one consumer in the log, and the failed attempts on its next event."""

    consumer = models.CharField(max_length=60, primary_key=True)
    transaction = models.BigIntegerField(default=BEGINNING)
    event_id = models.BigIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    last_error = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CursorManager()

    def __str__(self) -> str:
        return self.consumer

    def move_to(self, event: Event) -> None:
        """Set the position after the event, with all attempts for the next one."""
        self.transaction, self.event_id = event.transaction, event.pk
        self.rest(timedelta(0), attempts=0)

    def rest(self, wait: timedelta, attempts: int, error: str = "") -> None:
        """Set the wait (by PostgreSQL's clock) and the failed attempts of the next event."""
        self.next_at, self.attempts, self.last_error = Now() + wait, attempts, error


class ParkedEvent(models.Model):
    """An event that a consumer gave up after all attempts (dead letter)."""

    consumer = models.CharField(max_length=60)
    event = models.ForeignKey(Event, models.PROTECT, related_name="+")
    error = models.TextField()
    parked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["consumer", "event"], name="parked_once_per_consumer")
        ]
