"""Deferred validation: check submissions whose form version was too new to read (ADR 0025).

During a roll-out an older process may receive answers to a form that a newer release published. It
keeps them for review unchecked; a process that understands the version validates them here.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from leadgen.capture.consents import consents_in
from leadgen.capture.models import Submission
from leadgen.capture.nudge import nudge
from leadgen.capture.reasons import ReviewReason
from leadgen.events.services import emit
from leadgen.forms.format.definition import Definition
from leadgen.forms.format.validation import cut_hidden, parse, validate
from leadgen.forms.models import FormVersion

logger = logging.getLogger("leadgen.capture")

BATCH_ROWS = 100
# An older process serves the last version that it understands: its answers fit only that one.
# Five look-ups bound the cost of one row.
MAX_EARLIER_VERSIONS = 5
_ANSWERS = ["version", "answers", "consents"]
_JUDGED = ["state", "reasons", "released_at", *_ANSWERS]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A form version that accepts the answers, and the answers cleaned by its validator."""

    version: FormVersion
    definition: Definition
    answers: dict[str, Any]


def release_judged(*, seconds: float) -> int:
    """Validate deferred submissions for up to ``seconds``; return the number of rows.

    Valid answers are accepted, unless the submission has another reason for review; invalid answers
    stay in review. Several processes may run this at once: rows are locked with SKIP LOCKED.
    """
    deadline, judged = time.monotonic() + seconds, 0
    for version in _understood():
        while time.monotonic() < deadline and (count := _judge_batch(version)):
            judged += count
    if judged:
        logger.info("validated deferred submissions to newer forms", extra={"rows": judged})
    return judged


def verdict_on(submission: Submission) -> Verdict | None:
    """Return the version that accepts the answers: the submission's own or one of five earlier.

    When the post named its version, only that version is tried, because the visitor saw the wording
    of that version. None when no version accepts the answers.
    """
    version = submission.version
    if submission.context.get("version") == version.number:
        return _fit(version, submission, is_exact=False)
    earlier = version.form.versions.filter(number__lt=version.number)[:MAX_EARLIER_VERSIONS]
    for candidate in (version, *earlier):
        if verdict := _fit(candidate, submission, is_exact=True):
            return verdict
    return _fit(version, submission, is_exact=False)


def judge(keys: Sequence[UUID]) -> None:
    """Save the verdicts on locked submissions; leave answers that fit no version as sent."""
    for submission in Submission.objects.filter(pk__in=keys).select_related("version__form"):
        if verdict := verdict_on(submission):
            apply(submission, verdict)
            submission.save(update_fields=_ANSWERS)


def apply(submission: Submission, verdict: Verdict) -> None:
    """Set the fields that the edge sets for a form that it understands; do not save.

    Key and fingerprint are derived from the raw answers, so a retry still finds its first receipt.
    """
    submission.version = verdict.version
    submission.answers = verdict.answers
    submission.consents = consents_in(verdict.definition, verdict.answers, submission.received_at)


def _understood() -> list[FormVersion]:
    waiting = Submission.objects.unjudged().order_by().values("version_id").distinct()
    versions = FormVersion.objects.filter(pk__in=waiting).order_by("pk")
    return [version for version in versions if version.reading().is_understood]


@transaction.atomic
def _judge_batch(version: FormVersion) -> int:
    rows = Submission.objects.unjudged().filter(version=version).order_by("received_at", "id")
    batch = rows.select_related("version__form").select_for_update(skip_locked=True, of=("self",))
    count = 0
    for submission in batch[:BATCH_ROWS]:
        _settle(submission)
        count += 1
    transaction.on_commit(nudge)
    return count


def _settle(submission: Submission) -> None:
    """Accept the row, or replace the reason, so that no row is validated twice."""
    reasons = submission.reasons
    others = [reason for reason in reasons if reason != ReviewReason.NEWER_FORM]
    if (verdict := _verdict_or_none(submission)) is None:
        submission.reasons = [*others, ReviewReason.UNFIT_ANSWERS.value]
        emit("submission.held", submission, data={"reasons": submission.reasons})
    else:
        apply(submission, verdict)
        if others:
            submission.reasons = others
        else:
            submission.state = Submission.State.ACCEPTED
            submission.released_at = timezone.now()
            emit("submission.released", submission, data={"reasons": reasons})
    submission.save(update_fields=_JUDGED)


def _verdict_or_none(submission: Submission) -> Verdict | None:
    try:
        return verdict_on(submission)
    except Exception:
        # One faulty row must not block the others: it stays in review.
        logger.exception("validation of a submission failed", extra={"receipt": str(submission.pk)})
        return None


def _fit(version: FormVersion, submission: Submission, *, is_exact: bool) -> Verdict | None:
    """Validate the raw answers; with ``is_exact`` the version must define every field name."""
    reading = version.reading()
    sent: Mapping[str, Any] = submission.raw
    names = {field.name for field in reading.definition.fields}
    if not reading.is_understood or (is_exact and not sent.keys() <= names):
        return None
    if submission.context.get("channel") == "hosted":
        sent = parse(reading.definition, dict(_texts(sent)))
    answers, errors = validate(reading.definition, cut_hidden(reading.definition, sent))
    return None if errors else Verdict(version, reading.definition, answers)


def _texts(raw: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for name, values in raw.items():
        yield name, values if isinstance(values, list) else [values]
