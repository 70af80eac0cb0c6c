"""Services shared by the hosted form and the public API: forms, ledger, limit of posts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import time
from typing import Any

from django.conf import settings

from leadgen.capture.attribution import context_of
from leadgen.capture.submit import Ledger
from leadgen.edge.forms.form_cache import FormCache
from leadgen.edge.http.messages import Refusal, Request
from leadgen.edge.http.rate_counter import WINDOW, RateCounter
from leadgen.edge.submission_lookup import KnownSubmissions


@dataclass(frozen=True, slots=True)
class EdgeServices:
    """Objects that live as long as the process."""

    forms: FormCache
    ledger: Ledger
    known: KnownSubmissions
    flood: RateCounter = field(default_factory=RateCounter)

    def admit(self, request: Request) -> int:
        """Count a post; return the number of posts from its address in this minute.

        Raise Refusal (429) above CAPTURE_LIMIT_PER_MINUTE, more than an office sends, so that a
        flood is refused before its bodies are parsed.
        """
        now = time()
        posts = self.flood.count(request.address, now)
        if posts > settings.CAPTURE_LIMIT_PER_MINUTE:
            wait = str(WINDOW - int(now) % WINDOW)
            raise Refusal(429, "Too many from this address. Wait a minute.", retry_after=wait)
        return posts


def submission_context(request: Request, channel: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return Submission.context from the client's values (``sent``) and the request's headers."""
    return context_of(
        sent,
        channel=channel,
        address=request.address,
        user_agent=request.headers.get("user-agent", ""),
        language=request.headers.get("accept-language", ""),
    )
