"""Hosted form at /f/<slug>: page, post and thank-you page, complete without JavaScript."""

import json
from collections.abc import Awaitable
from dataclasses import replace
from time import time
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from django.conf import settings
from django.utils.encoding import iri_to_uri

from leadgen.capture.attribution import marks_in
from leadgen.capture.errors import DatabaseUnavailableError
from leadgen.capture.metrics import SUBMISSIONS
from leadgen.capture.reasons import ReviewReason
from leadgen.capture.submit import Incoming, Invalid, Receipt, submit
from leadgen.edge.forms import page_token
from leadgen.edge.forms.page_post import Post, first, shown_by
from leadgen.edge.forms.refusal_pages import html, not_found, refuse, title_of, unsent
from leadgen.edge.http import bodies
from leadgen.edge.http.headers import page_headers
from leadgen.edge.http.messages import AWAY, UPDATING, Refusal, Request, Response
from leadgen.edge.http.origins import has_hidden_origin, may_post
from leadgen.edge.services import EdgeServices, submission_context
from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.forms.format.fields import UNKNOWN
from leadgen.forms.format.messages import Errors, Message, text_of, texts_of
from leadgen.forms.format.validation import parse, start_texts, worded
from leadgen.forms.newer import unjudged
from leadgen.forms.page import form_page, thanks_page, unsent_page
from leadgen.forms.published import PublishedForm, unread
from leadgen.lib.reference import reference_of

_KEPT = ("_referrer", "_query", "_page_url", "_first_touch", "_visit", "_act")
# While PostgreSQL is unavailable, for a form that is not in the cache.
_THANKS = Definition(text_of("title_thanks"), (), thanks_text=text_of("thanks"))

Target = tuple[PublishedForm, tuple[ReviewReason, ...]]
"""The form version that a page showed, and the reasons to review its answers."""


class HostedFormPages:
    """Handlers of the page, its post and the thank-you page."""

    def __init__(self, services: EdgeServices) -> None:
        self._services = services

    async def page(self, request: Request, slug: str) -> Response:
        """GET: return the cached page with a new token.

        The page contains values of this visit, so it has no ETag: a 304 would show those of an
        earlier visit. Not ``no-store``: with it Firefox loses the typed text on going back.
        """
        form = await self._services.forms.by_slug(slug)
        if form is None or not form.is_live:
            raise not_found("form_closed" if form else "form_not_found")
        if not request.path.endswith(f"/f/{form.slug}"):
            return _moved(form, request.query)
        if not form.page:
            raise UPDATING
        hidden = {"_token": page_token.issue(time(), shown_by(form))}
        if referrer := request.headers.get("referer"):
            hidden["_referrer"] = referrer
        if request.query:
            hidden["_query"] = request.query
        headers = {**page_headers(form), "cache-control": "private, no-cache"}
        return html(200, _prefilled(form, request.query), hidden).having(headers)

    async def post(self, request: Request, slug: str) -> Response:
        """POST: 303 to the thanks, or the page again with its messages and the answers kept."""
        form, is_away = await _look_up(self._services.forms.by_slug(slug))
        if form and not (may_post(form, request) or has_hidden_origin(request)):
            raise _foreign()
        posts = self._services.admit(request)
        post = Post.of(request)
        if form and not (post.is_from_here or may_post(form, request)):
            raise _foreign()
        if not is_away and (other := post.other_form(form)):
            named, is_away = await _look_up(self._services.forms.by_id(other))
            form = named if named or is_away else form
        if form is None:
            shown, reasons = _unread(slug, is_away, post)
        else:
            shown, reasons = await self._target(form, post)
        try:
            sent = _sent(shown, request, post, posts, reasons)
            result = await submit(shown, sent, self._services.ledger, self._services.known)
            if isinstance(result, Invalid) and (latest := await self._latest(shown, post)):
                shown, sent = latest, _sent(latest, request, post, posts, reasons)
                result = await submit(shown, sent, self._services.ledger, self._services.known)
        except DatabaseUnavailableError:
            SUBMISSIONS.labels("failed").inc()
            again = _again(shown, 503, post, {"": [Message.of("not_saved")]})
            return again.having({"retry-after": "2"})
        if isinstance(result, Invalid):
            SUBMISSIONS.labels("invalid").inc()
            return _again(shown, 422, post, result.errors)
        return _thank(shown, result)

    async def thanks(self, request: Request, slug: str) -> Response:
        """GET: return the thank-you page; without a receipt lead to the form (303)."""
        receipt = _receipt(request.query)
        try:
            form = await self._services.forms.by_slug(slug)
        except DatabaseUnavailableError:
            if not receipt:
                raise
            text = thanks_page(_THANKS, reference_of(receipt))
            return html(200, text, {}).having(page_headers(None))
        if form is None:
            raise not_found("form_not_found")
        if not receipt:
            return _moved(form, "", status=303)
        text = thanks_page(form.definition, reference_of(receipt))
        return html(200, text, {}).having(page_headers(form))

    def refuse(self, refusal: Refusal, slug: str) -> Response:
        """Return the refusal as a page, which the websites that the form allows may frame."""
        return refuse(refusal, self._services.forms.cached(slug))

    async def _target(self, form: PublishedForm, post: Post) -> Target:
        """Return what the post answers; raise UnsentError where nothing can be kept."""
        shown = post.shown(form.form_id)
        if shown is None and not form.is_live:
            raise unsent(not_found("form_closed"), post)
        if shown is None:
            # The page is of a form that was deleted: its questions and wordings are gone.
            is_lost = post.other_form(form) is not None
            return form, (ReviewReason.VERSION_UNKNOWN,) * is_lost
        late = () if form.is_live else (ReviewReason.UNPUBLISHED,)
        try:
            version = await self._services.forms.version(form, shown.number)
        except DatabaseUnavailableError:
            return unread(shown, form.slug, form.origins), (*late, ReviewReason.VERSION_UNKNOWN)
        # A version can be missing after the restore of an older backup.
        return (version, late) if version else (form, (*late, ReviewReason.VERSION_UNKNOWN))

    async def _latest(self, form: PublishedForm, post: Post) -> PublishedForm | None:
        """Return a newer published version, for invalid answers that name no version."""
        return None if post.shown(form.form_id) else await self._services.forms.reread(form)


async def _look_up(
    search: Awaitable[PublishedForm | None],
) -> tuple[PublishedForm | None, bool]:
    """Return the form if there is one, and whether it could not be looked up."""
    try:
        return await search, False
    except DatabaseUnavailableError:
        return None, True


def _unread(slug: str, is_away: bool, post: Post) -> Target:
    """Return what the token alone names, while the form cannot be read."""
    if not is_away:
        raise unsent(not_found("form_not_found"), post)
    shown = post.token.shown if post.token else None
    if shown is None or not post.is_from_here:
        raise unsent(AWAY, post)
    return unread(shown, slug), (ReviewReason.VERSION_UNKNOWN,)


def _foreign() -> Refusal:
    return Refusal(403, text_of("foreign_page"))


def _moved(form: PublishedForm, query: str, status: int = 308) -> Response:
    """Redirect to the form's address; no-store, because the old address may be used again."""
    address = iri_to_uri(f"/f/{form.slug}?{query}".rstrip("?"))
    return Response(status, b"", {"location": address, "cache-control": "no-store"})


def _prefilled(form: PublishedForm, query: str) -> str:
    """Return the page; hidden fields take their values from the query string."""
    parameters = parse_qs(query, errors="replace") if query else {}
    hidden = {
        field.name: parameters[field.name]
        for field in form.definition.fields
        if field.kind == "hidden" and field.name in parameters
    }
    if not hidden:
        return form.page
    return form_page(form.definition, values=start_texts(form.definition) | hidden)


def _sent(
    form: PublishedForm, request: Request, post: Post, posts: int, reasons: tuple[ReviewReason, ...]
) -> Incoming:
    raw = post.raw
    if post.is_expired(form.form_id):
        reasons = (*reasons, ReviewReason.EXPIRED_PAGE)
    return Incoming(
        raw=raw,
        answers=unjudged(form.newer.definition, raw) if form.newer else parse(form.definition, raw),
        context=submission_context(request, "hosted", _origin_of(request, post.texts)),
        unknown={} if form.newer else post.unknown(form.definition),
        act=post.act(form.form_id),
        reasons=reasons,
        reason_if_invalid=ReviewReason.VERSION_UNKNOWN
        if ReviewReason.VERSION_UNKNOWN in reasons
        else None,
        is_version_named=post.shown(form.form_id) is not None,
        honeypot=first(post.texts, "_url"),
        seconds=post.seconds(form.form_id),
        posts_this_minute=posts,
    )


def _origin_of(request: Request, texts: bodies.Texts) -> dict[str, Any]:
    """Return the attribution; the page posts the query string of its URL, with the UTM values."""
    query = first(texts, "_query") or request.query
    url = f"{settings.PUBLIC_URL}{request.path}?{query}".rstrip("?")
    referer = request.headers.get("referer", "")
    return {
        **marks_in(url),
        "page_url": first(texts, "_page_url") or referer or url,
        "referrer": first(texts, "_referrer"),
        "elapsed_ms": first(texts, "_elapsed_ms"),
        "first_touch": _json(first(texts, "_first_touch")),
    }


def _again(form: PublishedForm, status: int, post: Post, errors: Errors) -> Response:
    if not (form.definition.fields or form.newer):  # the version could not be read
        page = unsent_page(title_of(503), text_of("not_saved"), post.raw)
        return html(status, page, {}).having(page_headers(form))
    hidden = {name: first(post.texts, name) for name in _KEPT if post.texts.get(name)}
    hidden["_token"] = post.token_again(form)
    shown = _with_unknown(form, post.texts)
    messages = texts_of(worded(form.definition, errors))
    page = form_page(shown, values=post.texts, errors=messages)
    return html(status, page, hidden).having(page_headers(form))


def _with_unknown(form: PublishedForm, texts: bodies.Texts) -> Definition:
    """Return the fields, and hidden fields that post the answers to newer questions again."""
    if form.newer is None:
        return form.definition
    known = {field.name for field in form.definition.fields}
    others = (name for name in texts if name not in known and not name.startswith("_"))
    kept = tuple(FieldDefinition(name, UNKNOWN, name) for name in others)
    return replace(form.definition, fields=form.definition.fields + kept)


def _thank(form: PublishedForm, receipt: Receipt) -> Response:
    thanks = f"/f/{form.slug}/thanks?receipt={receipt.receipt}"
    headers = {"location": thanks, "cache-control": "no-store"}
    return Response(303, b"", headers, str(receipt.receipt))


def _receipt(query: str) -> UUID | None:
    text = parse_qs(query, errors="replace").get("receipt", [""])[0]
    try:
        return UUID(text)
    except ValueError:
        return None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
