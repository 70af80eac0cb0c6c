"""Verbs on submissions: release, hold, retry, mark as processed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from leadgen.accounts.models import User
from leadgen.capture import newer_forms
from leadgen.capture.models import PENDING_STATES, Submission, SubmissionQuerySet
from leadgen.capture.nudge import nudge
from leadgen.capture.reasons import ReviewReason
from leadgen.events.actors import Actor
from leadgen.events.services import Fact, emit, emit_many


def release(submission: Submission, *, actor: Actor | User | None) -> bool:
    """Accept a submission that is in review; emit submission.released; nudge the intake.

    Return False for a submission that is no longer in review: it stays unchanged. The reasons stay
    on the record.
    Answers to a version that was too new to read are validated now, and stay as sent where they do
    not fit.
    """
    released = release_many([submission.pk], actor=actor)
    submission.refresh_from_db()
    return released > 0


@transaction.atomic
def release_many(keys: Sequence[UUID], *, actor: Actor | User | None) -> int:
    """Release submissions; return how many of them were in review.

    The number of statements is fixed, except for answers whose validation was deferred.
    """
    held = _locked(Submission.objects.quarantined(), keys)
    newer_forms.judge([each.pk for each in held if ReviewReason.NEWER_FORM in each.reasons])
    _rows(held).update(state=Submission.State.ACCEPTED, released_at=timezone.now())
    facts = [Fact("submission.released", each, {"reasons": each.reasons}) for each in held]
    return _emitted(facts, actor)


@transaction.atomic
def hold(submission: Submission, *, actor: Actor | User | None) -> bool:
    """Move an accepted submission without a lead to review (quarantine); emit submission.held.

    Return False for a submission in any other state: it stays unchanged.
    """
    submission.refresh_from_db(from_queryset=Submission.objects.select_for_update())
    if submission.state not in PENDING_STATES:
        return False
    submission.state = Submission.State.QUARANTINED
    if ReviewReason.HELD_BY_HAND not in submission.reasons:
        submission.reasons = [*submission.reasons, ReviewReason.HELD_BY_HAND.value]
    for name, value in _NO_FAILURES.items():
        setattr(submission, name, value)
    submission.save(update_fields=["state", "reasons", *_NO_FAILURES])
    emit("submission.held", submission, actor=actor)
    return True


def retry(submission: Submission, *, actor: Actor | User | None) -> bool:
    """Reset the attempts of a parked submission; emit submission.retried; nudge the intake.

    Return False for a submission that is not parked: it stays unchanged.
    """
    retried = retry_many([submission.pk], actor=actor)
    submission.refresh_from_db()
    return retried > 0


@transaction.atomic
def retry_many(keys: Sequence[UUID], *, actor: Actor | User | None) -> int:
    """Retry submissions with a fixed number of statements; return how many were parked."""
    parked = _locked(Submission.objects.parked(), keys)
    _rows(parked).update(**_NO_FAILURES, released_at=timezone.now())
    return _emitted([Fact("submission.retried", each) for each in parked], actor)


def mark_processed(receipts: Sequence[str]) -> None:
    """Set submissions to processed, once they are on leads, with one statement and no event.

    Call it in the transaction that holds the rows' locks. Written as SQL: Django's ``update`` gives
    each key a parameter of its own (ADR 0015).
    """
    with connection.cursor() as cursor:
        cursor.execute(_MARK_PROCESSED, [Submission.State.PROCESSED, list(receipts)])


_MARK_PROCESSED = (
    "UPDATE capture_submission SET state = %s, processed_at = statement_timestamp(), "
    "next_at = NULL, last_error = '' WHERE id = ANY(%s::uuid[])"
)
_NO_FAILURES: dict[str, Any] = {"attempts": 0, "next_at": None, "parked_at": None}


def _locked(submissions: SubmissionQuerySet, keys: Sequence[UUID]) -> list[Submission]:
    """Lock submissions in the order of their receipts and load what their events need."""
    rows = submissions.select_for_update().filter(pk__in=keys)
    return list(rows.only("reasons").order_by("pk"))


def _rows(submissions: Sequence[Submission]) -> QuerySet[Submission]:
    return Submission.objects.filter(pk__in=[each.pk for each in submissions])


def _emitted(facts: Sequence[Fact], actor: Actor | User | None) -> int:
    """Emit the facts, nudge the intake after the commit, return the number of facts."""
    emit_many(facts, actor=actor)
    if facts:
        transaction.on_commit(nudge)
    return len(facts)
