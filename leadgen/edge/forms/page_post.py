"""Parsed post of the hosted page: the visitor's answers and the page's own values."""

import re
from dataclasses import dataclass
from time import time
from typing import Self

from leadgen.capture.idempotency import Act
from leadgen.edge.forms import page_token
from leadgen.edge.forms.page_token import Token
from leadgen.edge.http import bodies
from leadgen.edge.http.messages import Refusal, Request
from leadgen.edge.http.origins import has_hidden_origin, is_from_here
from leadgen.forms.format.definition import Definition
from leadgen.forms.published import PublishedForm
from leadgen.forms.shown_version import ShownVersion

# Written by hosted.js: a random id of the visit, and the number of the act within it.
_VISIT = re.compile(r"[A-Za-z0-9_-]{16,64}")
_ACT = re.compile(r"[1-9][0-9]{0,5}")
# A list, as PHP and Rails name it. No field has a bracket in its name.
_BRACKETS = re.compile(r"\[\d*\]\Z")
# Inputs that website builders add to a form.
_NO_ANSWERS = {
    "submit",
    "utf8",
    "authenticity_token",
    "csrfmiddlewaretoken",
    "g-recaptcha-response",
    "h-captcha-response",
    "cf-turnstile-response",
}
_LONGEST_UNKNOWN = 2000


@dataclass(frozen=True, slots=True)
class Post:
    """Lists of texts by name; names that begin with ``_`` are the page's own values.

    ``is_from_here``: a page of this server sent them, or a program.
    """

    texts: bodies.Texts
    token: Token | None
    is_from_here: bool

    @classmethod
    def of(cls, request: Request) -> Self:
        """Parse the request's body; raise Refusal."""
        texts = _without_brackets(_texts(request))
        token = page_token.read(first(texts, "_token"))
        is_own = is_from_here(request) or (token is not None and has_hidden_origin(request))
        return cls(texts, token, is_own)

    @property
    def raw(self) -> bodies.Texts:
        """The visitor's answers, and hidden fields of the form."""
        return {name: texts for name, texts in self.texts.items() if not name.startswith("_")}

    def unknown(self, definition: Definition) -> dict[str, str]:
        """Return what was sent under names that the form does not have, cut.

        A name with a mistake on another website must not cost the answer.
        """
        names = self.texts.keys() - {field.name for field in definition.fields}
        texts = {
            name: ", ".join(filter(None, self.texts[name]))[:_LONGEST_UNKNOWN]
            for name in names
            if not name.startswith("_") and name not in _NO_ANSWERS
        }
        return {name: text for name, text in texts.items() if text.strip()}

    def shown(self, form_id: int) -> ShownVersion | None:
        """Return the version of this form that the page showed; None when the token names none."""
        shown = self.token.shown if self.token else None
        return shown if shown and shown.form_id == form_id else None

    def other_form(self, form: PublishedForm | None) -> int | None:
        """Return the primary key of the form whose page was sent, unless it is this form.

        Another form may have taken the address over since. Pages of other websites may be copies
        with a token of any form, so their address counts.
        """
        shown = self.token.shown if self.token else None
        if shown is None or not self.is_from_here:
            return None
        return None if form and form.form_id == shown.form_id else shown.form_id

    def act(self, form_id: int) -> Act | None:
        """Return the act, by the script's number or the token's nonce; None without both."""
        visit, number = first(self.texts, "_visit"), first(self.texts, "_act")
        if _VISIT.fullmatch(visit) and _ACT.fullmatch(number):
            return Act.of_visit(visit, int(number))
        token = self._token_of(form_id)
        return Act.of_page(token.key) if token else None

    def seconds(self, form_id: int) -> float | None:
        """Return the seconds since the page was served; None when unknown."""
        token = self._token_of(form_id)
        return token.seconds_since(time()) if token else None

    def is_expired(self, form_id: int) -> bool:
        """Return whether the page of this form was served too long ago to be trusted."""
        token = self._token_of(form_id)
        return token is not None and token.is_expired(time())

    def token_again(self, form: PublishedForm) -> str:
        """Return the token for the page that is shown again with messages.

        A post without a token of this form gets a new one with the time 0 (unknown). The new
        token names no version when the form has a newer one, because the answers may be to that.
        """
        if self._token_of(form.form_id):
            return first(self.texts, "_token")
        return page_token.issue(0, None if form.newer else shown_by(form))

    def _token_of(self, form_id: int) -> Token | None:
        """Return the token unless it names another form; tokens of earlier releases name none."""
        token = self.token
        return token if token and (token.shown is None or self.shown(form_id)) else None


def shown_by(form: PublishedForm) -> ShownVersion:
    """Return the version that the form's page shows, for its token."""
    return ShownVersion(form.form_id, form.version_id, form.number, form.definition.locale)


def first(texts: bodies.Texts, name: str) -> str:
    """Return the first text of a name, or an empty text."""
    return texts.get(name, [""])[0]


def _texts(request: Request) -> bodies.Texts:
    if request.media_type not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise Refusal(415, "Send the form as application/x-www-form-urlencoded.")
    if request.media_type == "multipart/form-data":
        return bodies.read_multipart(request.body, request.headers["content-type"])
    return bodies.read_urlencoded(request.body)


def _without_brackets(texts: bodies.Texts) -> bodies.Texts:
    if "]" not in "".join(texts):
        return texts
    merged: bodies.Texts = {}
    for name, values in texts.items():
        merged.setdefault(_BRACKETS.sub("", name), []).extend(values)
    return merged
