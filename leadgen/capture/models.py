"""The ledger: one row for every act of sending a form, kept whatever becomes of it."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from leadgen.capture.reasons import ReviewReason
from leadgen.forms.models import Form, FormVersion
from leadgen.lib.dates import in_range
from leadgen.lib.ids import uuid7


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def waiting(self) -> Self:
        """What intake will still turn into leads by itself."""
        return self.filter(state__in=["received", "accepted"], parked_at=None)

    def quarantined(self) -> Self:
        """What screening or a colleague holds."""
        return self.filter(state="quarantined")

    def unjudged(self) -> Self:
        """What waits in quarantine for a process that understands the form."""
        return self.filter(state="quarantined", reasons__contains=["newer_form"])

    def parked(self) -> Self:
        """What intake has given up on until somebody looks."""
        return self.filter(parked_at__isnull=False)


class Submission(models.Model):
    """One act of sending a form. The edge writes it before it answers; nothing deletes it.

    ``raw`` is what came, ``answers`` what the validator made of it (keyed by field name),
    ``context`` where it came from (see capture.attribution), ``consents`` what was agreed to: a
    list of {field, given, wording, wording_hash, at}.
    """

    class State(models.TextChoices):
        RECEIVED = "received", "Received"
        ACCEPTED = "accepted", "Accepted"
        QUARANTINED = "quarantined", "Quarantined"
        PROCESSED = "processed", "On a lead"
        ERASED = "erased", "Erased"

    id = models.UUIDField("receipt", primary_key=True, default=uuid7, editable=False)
    form = models.ForeignKey(Form, models.PROTECT, related_name="submissions")
    version = models.ForeignKey(FormVersion, models.PROTECT, related_name="submissions")
    raw = models.JSONField("as sent")
    answers = models.JSONField()
    context = models.JSONField(default=dict)
    consents = models.JSONField(default=list)
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    fingerprint = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=State.choices, default=State.RECEIVED)
    reasons = ArrayField(
        models.CharField(max_length=30, choices=ReviewReason.choices), default=list
    )
    submitted_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")
    next_at = models.DateTimeField(null=True, blank=True)
    parked_at = models.DateTimeField(null=True, blank=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["form", "idempotency_key"], name="idempotency_key_once_per_form"
            ),
            # The client's clock tells it; the API leaves out what is a year or more away.
            models.CheckConstraint(
                condition=in_range("submitted_at"), name="submission_submitted_in_range"
            ),
        ]
        indexes = [
            # What waits is always few rows: the index that intake drains stays small for ever.
            models.Index(
                fields=["received_at", "id"],
                name="submission_waiting",
                condition=models.Q(state__in=["received", "accepted"], parked_at=None),
            ),
            models.Index(
                fields=["-received_at", "-id"],
                name="submission_quarantine",
                condition=models.Q(state="quarantined"),
            ),
            # Empty but while a newer release's form is on the air, or after that was rolled back.
            models.Index(
                fields=["version", "received_at"],
                name="submission_unjudged",
                condition=models.Q(state="quarantined", reasons__contains=["newer_form"]),
            ),
            models.Index(
                fields=["-parked_at"],
                name="submission_parked",
                condition=models.Q(parked_at__isnull=False),
            ),
            models.Index(fields=["form", "-received_at"], name="submission_by_form"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Repeat(models.Model):
    """A second receipt of a submission, promised while the ledger could not be asked for its key.

    The same content came twice under one idempotency key, at least once by way of the spool.
    """

    receipt = models.UUIDField(primary_key=True, editable=False)
    submission = models.ForeignKey(Submission, models.CASCADE, related_name="repeats")
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.receipt)
