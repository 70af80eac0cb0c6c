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
from leadgen.edge.http.origins import is_from_here
from leadgen.forms.published import PublishedForm
from leadgen.forms.shown_version import ShownVersion

# Written by hosted.js: a random id of the visit, and the number of the act within it.
_VISIT = re.compile(r"[A-Za-z0-9_-]{16,64}")
_ACT = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class Post:
    """Lists of texts by name; names that begin with ``_`` are the page's own values."""

    texts: bodies.Texts
    token: Token | None

    @classmethod
    def of(cls, request: Request) -> Self:
        """Parse the request's body; raise Refusal."""
        texts = _texts(request)
        return cls(texts, page_token.read(first(texts, "_token")))

    @property
    def raw(self) -> bodies.Texts:
        """The visitor's answers, and hidden fields of the form."""
        return {name: texts for name, texts in self.texts.items() if not name.startswith("_")}

    def shown(self, form_id: int) -> ShownVersion | None:
        """Return the version of this form that the page showed; None when the token names none."""
        shown = self.token.shown if self.token else None
        return shown if shown and shown.form_id == form_id else None

    def other_form(self, form: PublishedForm | None, request: Request) -> int | None:
        """Return the primary key of the form whose page was sent, unless it is this form.

        Another form may have taken the address over since. Pages of other websites may be copies
        with a token of any form, so their address counts.
        """
        shown = self.token.shown if self.token else None
        if shown is None or not is_from_here(request):
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
