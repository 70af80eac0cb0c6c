"""Judge submissions that were kept unjudged, once a process understands their form (ADR 0025)."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from leadgen.capture.consents import consents_in
from leadgen.capture.models import Submission
from leadgen.capture.nudge import nudge
from leadgen.capture.reasons import ReviewReason
from leadgen.events.services import emit
from leadgen.forms.format.definition import Definition
from leadgen.forms.format.validation import parse, validate
from leadgen.forms.models import FormVersion

logger = logging.getLogger("leadgen.capture")

BATCH_ROWS = 100
# A page of the last understood version is served beside the newer one: its answers fit only that.
MOST_EARLIER = 5
_ANSWERS = ["version", "answers", "consents"]
_JUDGED = ["state", "reasons", *_ANSWERS]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The version that the answers fit, and the answers as its validator cleans them."""

    version: FormVersion
    definition: Definition
    answers: dict[str, Any]


def release_judged(*, seconds: float) -> int:
    """Judge what waits for a newer release and is understood here; return the number of rows.

    Answers that fit are accepted, or stay for another reason to hold them; others stay for review.
    Any number of processes may run this at once.
    """
    deadline, judged = time.monotonic() + seconds, 0
    for version in _understood():
        while time.monotonic() < deadline and (count := _judge_batch(version)):
            judged += count
    if judged:
        logger.info("submissions to newer forms were judged", extra={"rows": judged})
    return judged


def verdict_on(submission: Submission) -> Verdict | None:
    """Return which version the answers fit: the one they came for, or one shortly before it.

    Where the post has named the version, no other is tried: the visitor has seen its wording.
    """
    version = submission.version
    if submission.context.get("version") == version.number:
        return _fit(version, submission, is_exact=False)
    earlier = version.form.versions.filter(number__lt=version.number)[:MOST_EARLIER]
    for candidate in (version, *earlier):
        if verdict := _fit(candidate, submission, is_exact=True):
            return verdict
    return _fit(version, submission, is_exact=False)


def judge(keys: Sequence[UUID]) -> None:
    """Write the verdicts on locked submissions; what fits no version is left as it was sent."""
    for submission in Submission.objects.filter(pk__in=keys).select_related("version__form"):
        if verdict := verdict_on(submission):
            apply(submission, verdict)
            submission.save(update_fields=_ANSWERS)


def apply(submission: Submission, verdict: Verdict) -> None:
    """Set what the edge would have written if it had understood the form; saves nothing.

    Key and fingerprint are made of what was sent, so a retry finds its first receipt as before.
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
    """Accept the row or say why it stays; either way it is judged once."""
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
            emit("submission.released", submission, data={"reasons": reasons})
    submission.save(update_fields=_JUDGED)


def _verdict_or_none(submission: Submission) -> Verdict | None:
    try:
        return verdict_on(submission)
    except Exception:
        # One row must not stop all others: it stays for review.
        logger.exception("a submission could not be judged", extra={"receipt": str(submission.pk)})
        return None


def _fit(version: FormVersion, submission: Submission, *, is_exact: bool) -> Verdict | None:
    """Validate the answers as sent; with ``is_exact`` every name must be of the version."""
    reading = version.reading()
    sent: Mapping[str, Any] = submission.raw
    names = {field.name for field in reading.definition.fields}
    if not reading.is_understood or (is_exact and not sent.keys() <= names):
        return None
    if submission.context.get("channel") == "hosted":
        sent = parse(reading.definition, dict(_texts(sent)))
    answers, errors = validate(reading.definition, sent)
    return None if errors else Verdict(version, reading.definition, answers)


def _texts(raw: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for name, values in raw.items():
        yield name, values if isinstance(values, list) else [values]
