"""Submit: validate, screen and write one submission, the same for every channel."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, Protocol
from uuid import UUID

import msgspec
from django.conf import settings

from leadgen.capture.consents import consents_in
from leadgen.capture.errors import KeyReusedError
from leadgen.capture.idempotency import Act, write_act
from leadgen.capture.ledger.lookup import KnownByKey
from leadgen.capture.ledger.record import SubmissionRecord, WriteResult, WriteStatus
from leadgen.capture.metrics import QUARANTINED, SUBMISSIONS
from leadgen.capture.nudge import nudge
from leadgen.capture.reasons import ReviewReason
from leadgen.capture.screening import Attempt, screen
from leadgen.forms.format.messages import Errors
from leadgen.forms.format.validation import check_given, cut_hidden, validate
from leadgen.forms.newer import without_empties
from leadgen.forms.published import PublishedForm
from leadgen.lib.ids import uuid7
from leadgen.lib.telemetry import request_context
from leadgen.lib.telemetry.metrics import Counter

_EMPTY: tuple[Any, ...] = (None, "", [], [""])


class Ledger(Protocol):
    """Port of the ledger: ``write`` returns once the row is durable."""

    async def write(self, row: SubmissionRecord) -> WriteResult: ...


class Lookup(Protocol):
    """Port of the look-up by idempotency keys."""

    async def by_keys(self, form_id: int, keys: list[str]) -> KnownByKey: ...


class Incoming(msgspec.Struct, frozen=True):
    """One post as a channel has parsed it.

    ``raw`` is stored unchanged; ``answers`` are JSON values by field name; ``unknown`` are texts by
    names that the form does not have; ``key`` is the client's Idempotency-Key; ``act`` is the visit
    and the number of the act. ``reasons`` send the submission to review in any case;
    ``reason_if_invalid`` sends invalid answers to review instead of refusing them.
    ``is_version_named``: the page or the client named the version that was shown. ``seconds`` is
    the time since the page was served.
    """

    raw: Mapping[str, Any]
    answers: Mapping[str, Any]
    context: dict[str, Any]
    unknown: Mapping[str, Any] = {}
    key: str | None = None
    act: Act | None = None
    reasons: tuple[ReviewReason, ...] = ()
    reason_if_invalid: ReviewReason | None = None
    is_version_named: bool = False
    honeypot: str = ""
    seconds: float | None = None
    posts_this_minute: int = 1
    submitted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The receipt of a submission that is durable.

    ``repeated``: the ledger had the submission before; ``spooled``: the submission is in the spool
    until the database is available; ``unjudged``: a newer release will validate the answers.
    """

    receipt: UUID
    repeated: bool = False
    spooled: bool = False
    unjudged: bool = False


@dataclass(frozen=True, slots=True)
class Invalid:
    """Messages by field name; no row was written."""

    errors: Errors


async def submit(
    form: PublishedForm, sent: Incoming, ledger: Ledger, lookup: Lookup
) -> Receipt | Invalid:
    """Validate, screen and write one submission; nudge the intake.

    ``form`` is the version that the visitor answered. The answer for a submission in review is the
    same as for any other, so that spammers learn nothing. Raise KeyReusedError for a key that was
    used with different content, DatabaseUnavailableError when neither the ledger nor the spool can
    be written.
    """
    answers, errors = _judge(form, sent)
    if errors and sent.reason_if_invalid is None:
        return await first_receipt(form, sent, lookup) or Invalid(errors)
    reasons = [*screen(_attempt(form, sent, answers)), *_held(form, sent, errors)]
    if errors or ReviewReason.VERSION_UNKNOWN in reasons:
        answers = _readable(sent, answers)
    elif sent.unknown:
        answers = {**sent.unknown, **answers}
    row = _row(form, sent, answers, reasons)
    outcome = await _write(row, sent, ledger, lookup)
    if outcome.status is WriteStatus.CONFLICT:
        raise KeyReusedError
    if outcome.status is WriteStatus.STORED:
        _count_and_nudge(row, reasons)
    else:
        SUBMISSIONS.labels(outcome.status.value).inc()
    repeated, spooled = (
        outcome.status is WriteStatus.REPEATED,
        outcome.status is WriteStatus.SPOOLED,
    )
    return Receipt(outcome.receipt, repeated, spooled, unjudged=ReviewReason.NEWER_FORM in reasons)


async def first_receipt(form: PublishedForm, sent: Incoming, lookup: Lookup) -> Receipt | None:
    """Return the first receipt of the Idempotency-Key; None without a key or a receipt.

    For posts that would be refused: a retry of an acknowledged submission gets its receipt again,
    even if the form has changed since. Raise KeyReusedError when the content differs,
    DatabaseUnavailableError.
    """
    if not sent.key:
        return None
    first = (await lookup.by_keys(form.form_id, [sent.key])).get(sent.key)
    if first is None:
        return None
    if first.fingerprint != fingerprint(form.form_id, sent.raw):
        raise KeyReusedError
    SUBMISSIONS.labels("repeated").inc()
    return Receipt(first.receipt, repeated=True)


async def _write(
    row: SubmissionRecord, sent: Incoming, ledger: Ledger, lookup: Lookup
) -> WriteResult:
    if sent.act is None or sent.key:
        return await ledger.write(row)
    find = partial(lookup.by_keys, row.form_id)
    return await write_act(row, sent.act, ledger.write, find)


def _held(form: PublishedForm, sent: Incoming, errors: Errors) -> list[ReviewReason]:
    """Return the reasons for review that do not come from screening.

    Answers to an unknown version wait for a person, not for a newer release.
    """
    if not (errors or sent.reasons or form.newer):
        return []
    unreadable = sent.reason_if_invalid if errors else None
    reasons = list(dict.fromkeys(filter(None, [*sent.reasons, unreadable])))
    is_newer = form.newer and ReviewReason.VERSION_UNKNOWN not in reasons
    return [*reasons, ReviewReason.NEWER_FORM] if is_newer else reasons


def _consents(
    form: PublishedForm, answers: Mapping[str, Any], reasons: list[ReviewReason], now: datetime
) -> list[dict[str, Any]]:
    """Return the consents; an empty list when the wording that was shown is not known here.

    Deferred validation records the consents of a form version that was too new to read.
    """
    if form.newer or ReviewReason.VERSION_UNKNOWN in reasons:
        return []
    return consents_in(form.definition, answers, now)


def _readable(sent: Incoming, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return answers for a reviewer: valid answers cleaned, the others as they were sent."""
    raw_answers = {name: value for name, value in sent.raw.items() if value not in _EMPTY}
    return {**{name: _single(value) for name, value in raw_answers.items()}, **answers}


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def read_submitted_at(value: Any, now: datetime) -> datetime | None:
    """Parse the client's ``submitted_at`` (ISO 8601, UTC where it has no zone).

    None for other text, more than a day ahead of ``now`` or more than 366 days before it.
    """
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at if now - timedelta(days=366) < at < now + timedelta(days=1) else None


def _judge(form: PublishedForm, sent: Incoming) -> tuple[dict[str, Any], Errors]:
    """Return the cleaned answers and the errors; those of a newer form are unchecked."""
    if form.newer:
        return without_empties(form.newer.definition, sent.answers), {}
    answers, errors = validate(form.definition, cut_hidden(form.definition, sent.answers))
    if not (errors or sent.unknown):
        errors = check_given(form.definition, answers)
    return answers, errors


def _attempt(form: PublishedForm, sent: Incoming, answers: Mapping[str, Any]) -> Attempt:
    return Attempt(
        (form.newer or form).definition,
        answers,
        sent.honeypot,
        sent.seconds,
        sent.posts_this_minute,
        settings.CAPTURE_FLOOD_PER_MINUTE,
    )


def _row(
    form: PublishedForm, sent: Incoming, answers: dict[str, Any], reasons: list[ReviewReason]
) -> SubmissionRecord:
    now = datetime.now(UTC)
    return SubmissionRecord(
        id=uuid7(),
        form_id=form.form_id,
        version_id=(form.newer or form).version_id,
        raw=dict(sent.raw),
        answers=answers,
        context=_context(form, sent),
        consents=_consents(form, answers, reasons, now),
        idempotency_key=sent.key or (sent.act.key if sent.act else None),
        fingerprint=fingerprint(form.form_id, sent.raw),
        state="quarantined" if reasons else "accepted",
        reasons=[reason.value for reason in reasons],
        submitted_at=sent.submitted_at,
        received_at=now,
    )


def _context(form: PublishedForm, sent: Incoming) -> dict[str, Any]:
    """Add the named version, for deferred validation, and the trace, for the intake (ADR 0022)."""
    context, parent = sent.context, request_context.traceparent.get()
    if form.newer and sent.is_version_named:
        context = {**context, "version": form.newer.number}
    return {**context, "trace": parent} if parent else context


def fingerprint(form_id: int, raw: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the form and the raw answers, in hexadecimal.

    Raw, not cleaned: a late retry may meet another version of the form. Empty values are left out,
    so that for valid answers the hash equals that of the cleaned ones, which earlier releases
    stored.
    """
    raw_answers = {name: value for name, value in raw.items() if value not in _EMPTY}
    content = msgspec.json.encode([form_id, raw_answers], order="sorted")
    return hashlib.sha256(content).hexdigest()


@cache
def _submissions(outcome: str) -> Counter:
    return SUBMISSIONS.labels(outcome)


def _count_and_nudge(row: SubmissionRecord, reasons: list[ReviewReason]) -> None:
    outcome = "quarantined" if reasons else "accepted"
    _submissions(outcome).inc()
    for reason in reasons:
        QUARANTINED.labels(reason.value).inc()
    if not reasons:
        nudge()
