"""The hosted form: /f/<slug>, sent plainly, complete without JavaScript."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from time import time
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from django.conf import settings
from django.utils.encoding import iri_to_uri

from leadgen.capture import payload, tokens
from leadgen.capture.attribution import marks_in
from leadgen.capture.database import DatabaseAwayError
from leadgen.capture.desk import Desk, context, may_post
from leadgen.capture.messages import UPDATING, Refusal, Request, Response
from leadgen.capture.newer import unjudged
from leadgen.capture.policy import page_headers
from leadgen.capture.published import Published
from leadgen.capture.taking import Invalid, Sent, Taken, take
from leadgen.forms.definition import Definition, Field
from leadgen.forms.fields import KINDS, UNKNOWN
from leadgen.forms.page import HIDDEN_SLOT, form_page, hidden_inputs, message_page, thanks_page
from leadgen.forms.validation import Errors, parse
from leadgen.lib.metrics import SUBMISSIONS

_TITLES = {
    403: "This page may not send the form",
    404: "There is no such form",
    413: "That is too much",
    429: "Too many at once",
    503: "Please try again",
}
_KEPT = ("_token", "_referrer", "_page_url", "_first_touch")
_NOT_SAVED = (
    "We could not save your answers just now. They are still here: send them again in a moment."
)


class Hosted:
    """Serves the page, takes its post, says thank you."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def page(self, request: Request, slug: str) -> Response:
        """GET: the page from memory, with a token of its own."""
        form = await self._form(slug)
        if not form.page:
            raise UPDATING
        text, etag = _prefilled(form, request.query)
        headers = {**page_headers(form), "etag": etag, "cache-control": "private, no-cache"}
        if etag in request.headers.get("if-none-match", ""):
            return Response(304, headers=headers)
        hidden = {"_token": tokens.issue(time())}
        if referrer := request.headers.get("referer"):
            hidden["_referrer"] = referrer
        return _html(200, text, hidden).having(headers)

    async def post(self, request: Request, slug: str) -> Response:
        """POST: 303 to the thanks, or the page again with its messages and the answers kept."""
        form = await self._form(slug)
        if not may_post(form, request):
            raise Refusal(403, "Open the form itself and send it from there.")
        posts = self._desk.admit(request)
        texts = _texts(request)
        try:
            result = await take(form, _sent(form, request, texts, posts), self._desk.ledger)
            if isinstance(result, Invalid):
                latest = await self._desk.forms.reread(form)
                if latest.published_id != form.published_id:
                    form, sent = latest, _sent(latest, request, texts, posts)
                    result = await take(form, sent, self._desk.ledger)
        except DatabaseAwayError:
            SUBMISSIONS.labels("failed").inc()
            again = _again(form, 503, texts, {"": [_NOT_SAVED]})
            return again.having({"retry-after": "2"})
        if isinstance(result, Invalid):
            return _again(form, 422, texts, result.errors)
        return _thank(form, result)

    async def thanks(self, request: Request, slug: str) -> Response:
        """GET: the page that thanks; a receipt that is none is not shown."""
        form = await self._form(slug)
        text = thanks_page(form.definition, _receipt(request.query))
        return _html(200, text, {}).having(page_headers(form))

    async def _form(self, slug: str) -> Published:
        form = await self._desk.forms.by_slug(slug)
        if form is None:
            raise Refusal(404, "Check the address, or ask whoever gave it to you.")
        return form


def refuse(refusal: Refusal) -> Response:
    """Return a refusal as a page for people."""
    title = _TITLES.get(refusal.status, "That did not work")
    return _html(refusal.status, message_page(title, refusal.message), {}).having(
        {**page_headers(None), **refusal.headers}
    )


def _html(status: int, text: str, hidden: Mapping[str, str]) -> Response:
    body = text.replace(HIDDEN_SLOT, hidden_inputs(hidden), 1).encode()
    return Response(
        status, body, {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"}
    )


def _prefilled(form: Published, query: str) -> tuple[str, str]:
    """Return the page and its ETag; hidden fields take their values from the query string."""
    asked = parse_qs(query, errors="replace")
    hidden = {
        field.name: asked[field.name]
        for field in form.definition.fields
        if field.kind == "hidden" and field.name in asked
    }
    if not hidden:
        return form.page, form.etag
    starts = {field.name: KINDS[field.kind].start(field) for field in form.definition.fields}
    digest = hashlib.sha256((form.etag + query).encode()).hexdigest()[:24]
    return form_page(form.definition, values=starts | hidden), f'"{digest}"'


def _texts(request: Request) -> payload.Texts:
    if request.media_type not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise Refusal(415, "Send the form as application/x-www-form-urlencoded.")
    if request.media_type == "multipart/form-data":
        return payload.read_multipart(request.body, request.headers["content-type"])
    return payload.read_urlencoded(request.body)


def _sent(form: Published, request: Request, texts: payload.Texts, posts: int) -> Sent:
    token = tokens.read(_first(texts, "_token"))
    raw = {name: values for name, values in texts.items() if not name.startswith("_")}
    return Sent(
        raw=raw,
        answers=unjudged(form.newer.definition, raw) if form.newer else parse(form.definition, raw),
        context=context(request, "hosted", _origin_of(request, texts)),
        page_key=token.key if token else "",
        honeypot=_first(texts, "_url"),
        seconds=_since(token.at) if token else None,
        posts_this_minute=posts,
    )


def _since(at: float) -> float | None:
    """Seconds since then; None where the clock was set back, or another server's is ahead."""
    seconds = time() - at
    return seconds if seconds >= 0 else None


def _origin_of(request: Request, texts: payload.Texts) -> dict[str, Any]:
    """The form posts to its own address, so the query string still has the campaign's marks."""
    asked = f"{settings.PUBLIC_URL}{request.path}?{request.query}".rstrip("?")
    referer = request.headers.get("referer", "")
    return {
        **marks_in(asked),
        "page_url": _first(texts, "_page_url") or referer or asked,
        "referrer": _first(texts, "_referrer"),
        "elapsed_ms": _first(texts, "_elapsed_ms"),
        "first_touch": _json(_first(texts, "_first_touch")),
    }


def _again(form: Published, status: int, texts: payload.Texts, errors: Errors) -> Response:
    hidden = {name: _first(texts, name) for name in _KEPT if texts.get(name)}
    page = form_page(_asked(form, texts), values=texts, errors=errors)
    return _html(status, page, hidden).having(page_headers(form))


def _asked(form: Published, texts: payload.Texts) -> Definition:
    """Return the questions; answers to a newer release's questions are posted again unseen."""
    if form.newer is None:
        return form.definition
    known = {field.name for field in form.definition.fields}
    others = (name for name in texts if name not in known and not name.startswith("_"))
    kept = tuple(Field(name, UNKNOWN, name) for name in others)
    return replace(form.definition, fields=form.definition.fields + kept)


def _thank(form: Published, taken: Taken) -> Response:
    thanks = f"/f/{form.slug}/thanks?receipt={taken.receipt}"
    target = iri_to_uri(form.definition.redirect_url) or thanks
    headers = {"location": target, "cache-control": "no-store"}
    return Response(303, b"", headers, str(taken.receipt))


def _receipt(query: str) -> str:
    text = parse_qs(query, errors="replace").get("receipt", [""])[0]
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def _first(texts: payload.Texts, name: str) -> str:
    return texts.get(name, [""])[0]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
