"""What both channels share: the forms on the air, who may post, and the ledger."""

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
    """The parts that outlive a request."""

    forms: FormCache
    ledger: Ledger
    known: KnownSubmissions
    flood: RateCounter = field(default_factory=RateCounter)

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


def submission_context(request: Request, channel: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the submission's context from the client's word and the request itself."""
    return context_of(
        sent,
        channel=channel,
        address=request.address,
        user_agent=request.headers.get("user-agent", ""),
        language=request.headers.get("accept-language", ""),
    )
