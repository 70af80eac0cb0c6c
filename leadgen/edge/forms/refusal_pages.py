"""Pages of the hosted form that refuse a request, for people."""

from collections.abc import Mapping

from leadgen.edge.forms.page_post import Post
from leadgen.edge.http import bodies
from leadgen.edge.http.headers import page_headers
from leadgen.edge.http.messages import Refusal, Response
from leadgen.forms.format.messages import text_of
from leadgen.forms.page import HIDDEN_SLOT, hidden_inputs, message_page, unsent_page
from leadgen.forms.published import PublishedForm

_TITLES = {
    403: "title_forbidden",
    404: "title_not_found",
    413: "title_too_large",
    429: "title_too_many",
    503: "title_unavailable",
}


class UnsentError(Refusal):
    """A refusal whose page shows the typed answers, because no form can show them."""

    def __init__(self, refusal: Refusal, typed: bodies.Texts) -> None:
        super().__init__(refusal.status, refusal.message)
        self.headers = refusal.headers
        self.typed = typed


def refuse(refusal: Refusal, form: PublishedForm | None) -> Response:
    """Return a refusal as a page; the websites that the form allows may frame it."""
    title = title_of(refusal.status)
    if isinstance(refusal, UnsentError) and refusal.typed:
        page = unsent_page(title, refusal.message, refusal.typed)
    else:
        page = message_page(title, refusal.message)
    return html(refusal.status, page, {}).having({**page_headers(form), **refusal.headers})


def title_of(status: int) -> str:
    """Return the heading of a refusal."""
    return text_of(_TITLES.get(status, "title_failed"))


def not_found(code: str) -> Refusal:
    """Return the refusal of an address without a form, with the text of this code."""
    return Refusal(404, text_of(code))


def unsent(refusal: Refusal, post: Post) -> Refusal:
    """Return the refusal with what was typed.

    Another website must not have its texts shown under this address.
    """
    return UnsentError(refusal, post.raw if post.is_from_here else {})


def html(status: int, text: str, hidden: Mapping[str, str]) -> Response:
    """Return a page with these hidden inputs."""
    body = text.replace(HIDDEN_SLOT, hidden_inputs(hidden), 1).encode()
    return Response(
        status, body, {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"}
    )
