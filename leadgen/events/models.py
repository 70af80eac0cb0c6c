"""The append-only log: activity feed, audit trail and outbox in one table."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.expressions import Func
from django.db.models.functions import Now


class CurrentTransactionId(Func):
    """PostgreSQL's id of the running transaction: a 64-bit number that never comes round again."""

    function = "pg_current_xact_id"
    template = "%(function)s()::text::bigint"
    output_field = models.BigIntegerField()
    arity = 0


class OldestRunningTransactionId(Func):
    """Every transaction below this number has ended: nothing can appear beneath it any more."""

    function = "pg_snapshot_xmin"
    template = "%(function)s(pg_current_snapshot())::text::bigint"
    output_field = models.BigIntegerField()
    arity = 0


class EventQuerySet(models.QuerySet["Event"]):
    def about(self, subject: models.Model) -> Self:
        """The events of one row, such as a lead or a form."""
        return self.filter(subject_type=subject._meta.model_name, subject_id=str(subject.pk))

    def settled(self) -> Self:
        """Only events that no transaction still in flight can precede."""
        return self.filter(transaction__lt=OldestRunningTransactionId())


class Event(models.Model):
    """A fact of the domain, written in the transaction of the change that it tells of.

    Consumers read in the order (transaction, id) and stop below the oldest running transaction,
    so one that commits late is never skipped.
    """

    id = models.BigAutoField(primary_key=True)
    transaction = models.BigIntegerField(db_default=CurrentTransactionId(), editable=False)
    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=60)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=36)
    data = models.JSONField(default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["transaction", "id"], name="event_order"),
            models.Index(fields=["subject_type", "subject_id", "-id"], name="event_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_type} {self.subject_id}"


class Cursor(models.Model):
    """How far one consumer has read, and how often its next event has failed."""

    consumer = models.CharField(max_length=60, primary_key=True)
    transaction = models.BigIntegerField(default=0)
    event_id = models.BigIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    last_error = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)


class ParkedEvent(models.Model):
    """An event that a consumer could not handle after all its attempts, kept for people to see."""

    consumer = models.CharField(max_length=60)
    event = models.ForeignKey(Event, models.PROTECT, related_name="+")
    error = models.TextField()
    parked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["consumer", "event"], name="parked_once_per_consumer")
        ]
