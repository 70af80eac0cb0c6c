"""Public JSON API: definition and submissions of a form."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from leadgen.capture.errors import DatabaseUnavailableError, KeyReusedError
from leadgen.capture.metrics import SUBMISSIONS
from leadgen.capture.reasons import ReviewReason
from leadgen.capture.submit import (
    Incoming,
    Invalid,
    Receipt,
    first_receipt,
    read_submitted_at,
    submit,
)
from leadgen.edge.http import bodies
from leadgen.edge.http.headers import OPEN_CORS, cors_headers
from leadgen.edge.http.messages import AWAY, UPDATING, Refusal, Request, Response, json_response
from leadgen.edge.http.origins import may_post
from leadgen.edge.services import EdgeServices, submission_context
from leadgen.forms.format.messages import Errors, Message, texts_of
from leadgen.forms.published import PublishedForm

_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "Content-Type, Idempotency-Key, X-Request-ID, traceparent",
    "access-control-max-age": "86400",
}


class _Target(msgspec.Struct, frozen=True):
    """The form version that a post answers.

    ``unknown`` is the named number when the form has no such version, or, with ``unread``, when the
    database is unavailable. ``is_missing``: the form is not live and the post names no version.
    ``is_late``: the form was unpublished after the client had read it. ``is_named``: the client
    named the version of ``form``.
    """

    form: PublishedForm
    unknown: int | None = None
    unread: bool = False
    is_late: bool = False
    is_missing: bool = False
    is_named: bool = False

    def held(self, answers: Mapping[str, Any], errors: Errors) -> dict[str, Any]:
        """Return what Incoming says of a review, given the answers and the flaws found so far."""
        if self.unknown is None and not (self.is_late or self.is_named):
            return {}
        reasons = [ReviewReason.UNPUBLISHED] * self.is_late
        if self.unknown is None:
            return {"reasons": tuple(reasons), "is_version_named": self.is_named}
        consents = (each.name for each in self.form.definition.fields if each.kind == "consent")
        # Answers may fit the present version, but its wording is not the one that was agreed to.
        # A form of a newer release waits as a whole.
        has_consent = not self.form.newer and any(answers.get(name) is True for name in consents)
        if self.unread or errors or has_consent:
            reasons.append(ReviewReason.VERSION_UNKNOWN)
        return {"reasons": tuple(reasons), "reason_if_invalid": ReviewReason.VERSION_UNKNOWN}


class PublicApi:
    """Handlers for programs and the embed; each response of a known form has CORS headers."""

    def __init__(self, services: EdgeServices) -> None:
        self._services = services

    async def definition(self, request: Request, public_id: str) -> Response:
        """GET: the published definition with its JSON Schema, cacheable for a minute."""
        form = await self._form(public_id)
        if not form.is_live:
            raise _not_found()
        if not form.document:
            return refuse(UPDATING).having(cors_headers(form, request))
        headers = {
            "content-type": "application/json",
            "etag": form.etag,
            "cache-control": "public, max-age=60, stale-while-revalidate=600",
            **cors_headers(form, request),
        }
        if form.etag in request.headers.get("if-none-match", ""):
            return Response(304, headers=headers)
        return Response(200, form.document, headers)

    async def preflight(self, request: Request, public_id: str) -> Response:
        """OPTIONS: return the CORS preflight of an allowed website."""
        form = await self._services.forms.by_public_id(public_id)
        # Of an unknown form the request itself is answered, with 404 for every website.
        cors = cors_headers(form, request) if form else OPEN_CORS
        allowed = _PREFLIGHT if "access-control-allow-origin" in cors else {}
        return Response(204, headers={**cors, **allowed})

    async def submit(self, request: Request, public_id: str) -> Response:
        """POST: 201 with the receipt, 202 when deferred, 200 on a repeat, 422 with messages."""
        form = await self._form(public_id)
        try:
            response = await self._submit(form, request)
        except Refusal as refusal:
            SUBMISSIONS.labels("refused").inc()
            response = refuse(refusal)
        except DatabaseUnavailableError:
            SUBMISSIONS.labels("failed").inc()
            response = refuse(AWAY)
        return response.having(cors_headers(form, request))

    async def _submit(self, form: PublishedForm, request: Request) -> Response:
        """Submit the answers; prefer the first receipt of the Idempotency-Key to a refusal."""
        is_allowed, key = may_post(form, request), _key(request)
        if not is_allowed and key is None:
            raise _forbidden()
        posts = self._services.admit(request)
        body = _read(request)
        target = await self._target(form, body)
        refusal = None if is_allowed else _forbidden()
        try:
            result = await self._submit_to(target, request, body, posts, refusal)
            if isinstance(result, Invalid) and (latest := await self._latest(target)):
                result = await self._submit_to(latest, request, body, posts, refusal)
        except KeyReusedError:
            raise Refusal(409, "This Idempotency-Key came before with other content.") from None
        return _answer(result)

    async def _submit_to(
        self,
        target: "_Target",
        request: Request,
        body: bodies.Body,
        posts: int,
        refusal: Refusal | None,
    ) -> Receipt | Invalid:
        answers, errors = _answers(target.form, body)
        sent = _sent(request, body, answers, posts, target.held(answers, errors))
        refusal = _not_found() if target.is_missing else refusal
        if refusal is None and (not errors or sent.reason_if_invalid):
            return await submit(target.form, sent, self._services.ledger, self._services.known)
        if first := await first_receipt(target.form, sent, self._services.known):
            return first
        if refusal:
            raise refusal
        return Invalid(errors)

    async def _target(self, form: PublishedForm, body: bodies.Body) -> "_Target":
        """Return the version that the client names, or the published one when it names none."""
        number = bodies.version_number(body)
        if number is None:
            return _Target(form, is_missing=not form.is_live)
        try:
            version = await self._services.forms.version(form, number)
        except DatabaseUnavailableError:
            return _Target(form, number, unread=True, is_late=not form.is_live)
        if version is None:
            return _Target(form, number, is_missing=not form.is_live)
        return _Target(version, is_named=True, is_late=not form.is_live)

    async def _latest(self, target: "_Target") -> "_Target | None":
        """Return a newer published version, for invalid answers that name no version."""
        latest = None if target.is_named else await self._services.forms.reread(target.form)
        return _Target(latest) if latest else None

    async def _form(self, public_id: str) -> PublishedForm:
        form = await self._services.forms.by_public_id(public_id)
        if form is None:
            raise _not_found()
        return form


def refuse(refusal: Refusal) -> Response:
    """Return a refusal as JSON; the field is "", because it concerns the whole request."""
    errors = {"errors": {"": [refusal.message]}}
    return json_response(refusal.status, errors).having(refusal.headers)


def refuse_to_all(refusal: Refusal, public_id: str) -> Response:
    """Return a refusal that every website may read, because it reveals nothing of a form.

    Else a script cannot tell an unknown form from a broken connection, and tries for ever.
    """
    return refuse(refusal).having(OPEN_CORS)


def _read(request: Request) -> bodies.Body:
    if request.media_type != "application/json":
        raise Refusal(415, "Send the body as application/json.")
    return bodies.read_json(request.body)


def _answers(form: PublishedForm, body: bodies.Body) -> tuple[dict[str, Any], Errors]:
    """Merge fields and consents: a consent may be in either, or in both with the same value."""
    known = {field.name for field in form.definition.fields if field.kind == "consent"}
    errors: Errors = {}
    for name, given in body.consents.items():
        if name not in known and not form.newer:
            errors[name] = [Message.of("unknown_consent")]
        elif body.fields.get(name, given) is not given:
            errors[name] = [Message.of("contradicting_consent")]
    return {**body.fields, **body.consents}, errors


def _forbidden() -> Refusal:
    return Refusal(403, "This website may not send the form: add it to the form's origins.")


def _not_found() -> Refusal:
    return Refusal(404, "There is no such form.")


def _sent(
    request: Request,
    body: bodies.Body,
    answers: dict[str, Any],
    posts: int,
    held: Mapping[str, Any],
) -> Incoming:
    context = body.context if isinstance(body.context, dict) else {}
    visit = {"page_url": request.headers.get("referer", ""), **context}
    return Incoming(
        raw=answers,
        answers=answers,
        context=submission_context(request, "api", visit),
        key=_key(request),
        posts_this_minute=posts,
        submitted_at=read_submitted_at(body.submitted_at, datetime.now(UTC)),
        **held,
    )


def _key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise Refusal(400, "Idempotency-Key must be 1 to 255 printable ASCII characters.")
    return key


def _answer(result: Receipt | Invalid) -> Response:
    if isinstance(result, Invalid):
        SUBMISSIONS.labels("invalid").inc()
        return json_response(422, {"errors": texts_of(result.errors)})
    receipt = str(result.receipt)
    data = {"receipt": receipt, "state": "received"}
    if result.repeated:
        return json_response(200, data, receipt, idempotent_replayed="true")
    is_deferred = result.spooled or result.unjudged
    return json_response(202 if is_deferred else 201, data, receipt)
