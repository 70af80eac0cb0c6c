"""What both channels share: the forms on the air, who may post, and the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import time
from typing import Any

from django.conf import settings

from leadgen.capture.attribution import context_of
from leadgen.capture.flood import WINDOW, Flood
from leadgen.capture.form_versions import Published
from leadgen.capture.known import KnownSubmissions
from leadgen.capture.messages import Refusal, Request
from leadgen.capture.published import PublishedForms
from leadgen.capture.taking import Ledger


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts that outlive a request."""

    forms: PublishedForms
    ledger: Ledger
    known: KnownSubmissions
    flood: Flood = field(default_factory=Flood)

    def admit(self, request: Request) -> int:
        """Count a post and return how many came from its address this minute.

        Refuse only what no office could send, so that a flood costs next to nothing.
        """
        now = time()
        posts = self.flood.count(request.address, now)
        if posts > settings.CAPTURE_LIMIT_PER_MINUTE:
            wait = str(WINDOW - int(now) % WINDOW)
            raise Refusal(429, "Too many from this address. Wait a minute.", retry_after=wait)
        return posts


def may_post(form: Published, request: Request) -> bool:
    """Whether the page that sends (the Origin header) is ours or one the form allows.

    Programs send no Origin and may: it is browsers that need the rule.
    """
    origin = request.headers.get("origin")
    return origin is None or is_own(origin, request) or is_allowed(form, origin)


def is_own(origin: str, request: Request) -> bool:
    """Whether the origin is this server, by the name it was asked under or its public one."""
    host = request.headers.get("host", "")
    return origin == settings.PUBLIC_URL or (bool(host) and origin.partition("://")[2] == host)


def is_allowed(form: Published, origin: str) -> bool:
    """Whether the form lists the origin, or any (``*``)."""
    return "*" in form.origins or origin.lower() in form.origins


def context(request: Request, channel: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the submission's context from the client's word and the request itself."""
    return context_of(
        sent,
        channel=channel,
        address=request.address,
        user_agent=request.headers.get("user-agent", ""),
        language=request.headers.get("accept-language", ""),
    )
