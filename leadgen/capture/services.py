"""Decisions on what the edge has taken."""

from django.db import transaction

from leadgen.accounts.models import User
from leadgen.capture.models import Submission
from leadgen.capture.nudge import nudge
from leadgen.capture.reasons import Reason
from leadgen.events.services import emit


@transaction.atomic
def release(submission: Submission, *, actor: User) -> None:
    """Let a quarantined submission go on to intake; emit submission.released; wake the intake.

    Releasing one that is no longer quarantined changes nothing. The reasons stay for the record.
    """
    _lock(submission)
    if submission.state != Submission.State.QUARANTINED:
        return
    submission.state = Submission.State.ACCEPTED
    submission.save(update_fields=["state"])
    emit("submission.released", submission, actor=actor, data={"reasons": submission.reasons})
    transaction.on_commit(nudge)


@transaction.atomic
def hold(submission: Submission, *, actor: User) -> None:
    """Put an accepted submission that no lead has yet into quarantine; emit submission.held."""
    _lock(submission)
    if submission.state not in (Submission.State.RECEIVED, Submission.State.ACCEPTED):
        return
    submission.state = Submission.State.QUARANTINED
    if Reason.HELD_BY_HAND not in submission.reasons:
        submission.reasons = [*submission.reasons, Reason.HELD_BY_HAND.value]
    _forget_failures(submission)
    submission.save(update_fields=["state", "reasons", *_FAILURES])
    emit("submission.held", submission, actor=actor)


@transaction.atomic
def retry(submission: Submission, *, actor: User) -> None:
    """Give a parked submission its attempts again; emit submission.retried; wake the intake."""
    _lock(submission)
    if submission.parked_at is None:
        return
    _forget_failures(submission)
    submission.save(update_fields=_FAILURES)
    emit("submission.retried", submission, actor=actor)
    transaction.on_commit(nudge)


_FAILURES = ["attempts", "next_at", "parked_at"]


def _forget_failures(submission: Submission) -> None:
    submission.attempts, submission.next_at, submission.parked_at = 0, None, None


def _lock(submission: Submission) -> None:
    submission.refresh_from_db(from_queryset=Submission.objects.select_for_update())
