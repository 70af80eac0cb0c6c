"""Decisions on what the edge has taken."""

from leadgen.accounts.models import User
from leadgen.capture.models import Submission


def release(submission: Submission, *, actor: User) -> None:
    """Let a quarantined submission go on to intake; emit submission.released; wake the intake.

    Releasing one that is no longer quarantined changes nothing.
    """
    raise NotImplementedError


def hold(submission: Submission, *, actor: User) -> None:
    """Put an accepted submission that no lead has yet into quarantine; emit submission.held."""
    raise NotImplementedError


def retry(submission: Submission, *, actor: User) -> None:
    """Give a parked submission its attempts again; emit submission.retried; wake the intake."""
    raise NotImplementedError
