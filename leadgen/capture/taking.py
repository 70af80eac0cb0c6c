"""The one verb that takes a submission, whichever channel it came through."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Protocol
from uuid import UUID

import msgspec
from django.conf import settings
from prometheus_client import Counter

from leadgen.capture.consents import consents_in
from leadgen.capture.newer import without_empties
from leadgen.capture.nudge import nudge
from leadgen.capture.published import Published
from leadgen.capture.reasons import Reason
from leadgen.capture.rows import Fate, Outcome, Row
from leadgen.capture.screening import Attempt, screen
from leadgen.forms.validation import Errors, validate
from leadgen.lib import tracing
from leadgen.lib.ids import uuid7
from leadgen.lib.metrics import QUARANTINED, SUBMISSIONS


class Ledger(Protocol):
    """Whatever makes a row durable before it returns."""

    async def write(self, row: Row) -> Outcome: ...


class Sent(msgspec.Struct, frozen=True):
    """What a channel has read from one post.

    ``raw`` is kept exactly; ``answers`` are JSON values by field name; ``key`` is the client's
    Idempotency-Key; ``page_key`` names the served page that was sent, for a double click.
    """

    raw: Mapping[str, Any]
    answers: Mapping[str, Any]
    context: dict[str, Any]
    key: str | None = None
    page_key: str = ""
    honeypot: str = ""
    seconds: float | None = None
    posts_this_minute: int = 1
    submitted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """The submission is kept under this receipt.

    ``repeated``: the ledger knew it before; ``spooled``: the ledger will hold it once it is back;
    ``unjudged``: a newer release will check the answers.
    """

    receipt: UUID
    repeated: bool = False
    spooled: bool = False
    unjudged: bool = False


@dataclass(frozen=True, slots=True)
class Invalid:
    """Messages by field name; nothing was written."""

    errors: Errors


class KeyReusedError(Exception):
    """The Idempotency-Key came before with other content."""


async def take(form: Published, sent: Sent, ledger: Ledger) -> Taken | Invalid:
    """Validate, screen and write one submission; wake the intake.

    A quarantined one is answered like any other, so that spammers learn nothing. Raise
    KeyReusedError for a key that came with other content, DatabaseAwayError when neither the ledger
    nor the spool can be written.
    """
    answers, errors = _judge(form, sent)
    if errors:
        SUBMISSIONS.labels("invalid").inc()
        return Invalid(errors)
    reasons = screen(_attempt(form, sent, answers)) + [Reason.NEWER_FORM] * bool(form.newer)
    row = _row(form, sent, answers, reasons)
    outcome = await ledger.write(row)
    if outcome.fate is Fate.CONFLICT:
        raise KeyReusedError
    if outcome.fate is Fate.STORED:
        _tell(row, reasons)
    else:
        SUBMISSIONS.labels(outcome.fate.value).inc()
    repeated, spooled = outcome.fate is Fate.REPEATED, outcome.fate is Fate.SPOOLED
    return Taken(outcome.receipt, repeated, spooled, unjudged=bool(form.newer))


def sent_at(value: Any, now: datetime) -> datetime | None:
    """Read the client's ``submitted_at``; None for garbage, the future or more than a year ago."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at if now - timedelta(days=366) < at < now + timedelta(days=1) else None


def _judge(form: Published, sent: Sent) -> tuple[dict[str, Any], Errors]:
    """Return the cleaned answers and the errors; a form of a newer release is not judged here."""
    if form.newer:
        return without_empties(form.newer.definition, sent.answers), {}
    return validate(form.definition, sent.answers)


def _attempt(form: Published, sent: Sent, answers: Mapping[str, Any]) -> Attempt:
    return Attempt(
        (form.newer or form).definition,
        answers,
        sent.honeypot,
        sent.seconds,
        sent.posts_this_minute,
        settings.CAPTURE_FLOOD_PER_MINUTE,
    )


def _row(form: Published, sent: Sent, answers: dict[str, Any], reasons: list[Reason]) -> Row:
    now = datetime.now(UTC)
    fingerprint = fingerprint_of(form.form_id, answers)
    return Row(
        id=uuid7(),
        form_id=form.form_id,
        version_id=(form.newer or form).version_id,
        raw=dict(sent.raw),
        answers=answers,
        context=_traced(sent.context),
        # A newer release records the consents when it has checked the answers.
        consents=[] if form.newer else consents_in(form.definition, answers, now),
        idempotency_key=sent.key or _page_key(sent.page_key, fingerprint),
        fingerprint=fingerprint,
        state="quarantined" if reasons else "accepted",
        reasons=[reason.value for reason in reasons],
        submitted_at=sent.submitted_at,
        received_at=now,
    )


def _traced(context: dict[str, Any]) -> dict[str, Any]:
    """Let the intake find the request's trace, where traces are kept (ADR 0022)."""
    parent = tracing.traceparent.get()
    return {**context, "trace": parent} if parent else context


def fingerprint_of(form_id: int, answers: Mapping[str, Any]) -> str:
    """Hash the form and the answers; consents are answers too."""
    content = msgspec.json.encode([form_id, answers], order="sorted")
    return hashlib.sha256(content).hexdigest()


def _page_key(page_key: str, fingerprint: str) -> str | None:
    """One served page sent twice with the same content is one act; with other content, two."""
    if not page_key:
        return None
    return "page:" + hashlib.sha256(f"{page_key}:{fingerprint}".encode()).hexdigest()


@cache
def _submissions(outcome: str) -> Counter:
    return SUBMISSIONS.labels(outcome)


def _tell(row: Row, reasons: list[Reason]) -> None:
    outcome = "quarantined" if reasons else "accepted"
    _submissions(outcome).inc()
    for reason in reasons:
        QUARANTINED.labels(reason.value).inc()
    if not reasons:
        nudge()
