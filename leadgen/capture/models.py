"""Ledger models: one Submission row per sending of a form, and repeated receipts."""

from datetime import datetime
from typing import Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Func, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from leadgen.capture.reasons import ReviewReason
from leadgen.events.models import Event
from leadgen.forms.models import Form, FormVersion
from leadgen.lib import reference
from leadgen.lib.dates import in_range
from leadgen.lib.ids import uuid7
from leadgen.lib.search.key import SearchKey
from leadgen.lib.search.matching import matching

# States of submissions that intake turns into leads, unless they are parked (dead-lettered).
PENDING_STATES = ("received", "accepted")

# Named conditions: the one spelling that filters, counts and partial indexes share.
WAITING = models.Q(state__in=[*PENDING_STATES], parked_at=None)
QUARANTINED = models.Q(state="quarantined")
UNJUDGED = models.Q(state="quarantined", reasons__contains=["newer_form"])
PARKED = models.Q(parked_at__isnull=False)
ON_NO_LEAD = models.Q(state__in=[*PENDING_STATES, "quarantined"])


def answers_as_text() -> Func:
    """Return the answers without their names, each number without the signs between its digits."""
    values = Func("answers", Value("$.*"), function="jsonb_path_query_array")
    signs = Value(r"\s*\(\s*0\s*\)\s*|(?<=\d)[\s().\-/]+(?=\d)")
    text = Cast(values, models.TextField())
    joined = (signs, Value(""), Value("g"))
    return Func(text, *joined, function="REGEXP_REPLACE", output_field=models.TextField())


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def waiting(self) -> Self:
        """Return the submissions that intake will turn into leads without help."""
        return self.filter(WAITING)

    def quarantined(self) -> Self:
        """Return the submissions in review: held by screening or by a person."""
        return self.filter(QUARANTINED)

    def unjudged(self) -> Self:
        """Return the quarantined submissions of a form that only a newer release can read."""
        return self.filter(UNJUDGED)

    def parked(self) -> Self:
        """Return the parked (dead-lettered) submissions: intake retries them on request only."""
        return self.filter(PARKED)

    def matching(self, text: str) -> Self:
        """Return the submissions whose answers have every word and number of the text.

        An index serves the quarantined ones; combine it with a condition that few rows meet.
        """
        return matching(self, answers_as_text(), text)

    def by_reference(self, text: str) -> Self:
        """Return the submissions of a receipt, written as UUID or as its short reference.

        A second receipt (Repeat) finds the submission too.
        """
        receipts = _receipts_in(text.strip())
        return self.filter(models.Q(pk__in=receipts) | models.Q(repeats__receipt__in=receipts))


def _receipts_in(text: str) -> list[UUID]:
    try:
        return [UUID(text)]
    except ValueError:
        between = reference.range_of(text)
    if between is None:
        return []
    bounds = dict(zip(("gte", "lt"), between, strict=True))
    own = Submission.objects.filter(**{f"pk__{side}": pk for side, pk in bounds.items()})
    second = Repeat.objects.filter(**{f"receipt__{side}": pk for side, pk in bounds.items()})
    found = [*own.values_list("pk", flat=True), *second.values_list("receipt", flat=True)]
    return reference.matching(text, found)


class Submission(models.Model):
    """One sending of a form. The edge commits the row before it answers; no code deletes it.

    ``raw`` holds the answers as sent, ``answers`` the cleaned answers by field name, ``context``
    the attribution (see capture.attribution), ``consents`` a list of {field, given, wording,
    wording_hash, at} (see capture.consents).
    """

    class State(models.TextChoices):
        RECEIVED = "received", _("Received")
        ACCEPTED = "accepted", _("Accepted")
        QUARANTINED = "quarantined", _("In review")
        PROCESSED = "processed", _("On a lead")
        ERASED = "erased", _("Erased")

    id = models.UUIDField(_("receipt"), primary_key=True, default=uuid7, editable=False)
    form = models.ForeignKey(Form, models.PROTECT, related_name="submissions")
    version = models.ForeignKey(FormVersion, models.PROTECT, related_name="submissions")
    raw = models.JSONField(_("raw data"))
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
    # When a person released it from review, or retried it after intake had given up.
    released_at = models.DateTimeField(null=True, blank=True)
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
            # The value comes from the client's clock; read_submitted_at drops other values.
            models.CheckConstraint(
                condition=in_range("submitted_at"), name="submission_submitted_in_range"
            ),
        ]
        indexes = [
            # Few rows wait at any time, so this index, which intake reads, stays small.
            models.Index(
                fields=["received_at", "id"],
                name="submission_waiting",
                condition=WAITING,
            ),
            models.Index(
                fields=["-received_at", "-id"],
                name="submission_quarantine",
                condition=QUARANTINED,
            ),
            # Of held rows only, so that it costs nothing when a submission arrives.
            GinIndex(
                OpClass(SearchKey(answers_as_text()), name="gin_trgm_ops"),
                name="submission_review_search",
                condition=QUARANTINED,
            ),
            # Empty except while a form published by a newer release is live on an older one.
            models.Index(
                fields=["version", "received_at"],
                name="submission_unjudged",
                condition=UNJUDGED,
            ),
            models.Index(
                fields=["-parked_at"],
                name="submission_parked",
                condition=PARKED,
            ),
            # Covering: the numbers of a period by form read the index only.
            models.Index(
                fields=["-received_at", "-id"],
                include=["form"],
                name="submission_by_time",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def history(self) -> models.QuerySet[Event]:
        """Return the events of the submission, newest first."""
        return Event.objects.about(self).select_related("actor").order_by("-id")

    @property
    def reference(self) -> str:
        """The reference that the thank-you page shows the visitor."""
        return reference.reference_of(self.pk)

    @property
    def passed_on_at(self) -> datetime:
        """The time at which it came to sales: the release, or for most the receipt itself."""
        return max(self.received_at, self.released_at or self.received_at)


class Repeat(models.Model):
    """A second receipt of a submission, acknowledged while the ledger was unavailable.

    The same content arrived twice under one idempotency key, at least once through the spool.
    """

    receipt = models.UUIDField(primary_key=True, editable=False)
    submission = models.ForeignKey(Submission, models.CASCADE, related_name="repeats")
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.receipt)
