"""Security headers of every answer: edge, Django, static files, probes, refusals and errors.

gunicorn imports this module before Django is set up, so it imports no other module of processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from leadgen.processes.request_limits import App, Message, Receive, Send

# A year: browsers then refuse http for the host, also for a first visit to a form.
HSTS = "max-age=31536000"

Headers = tuple[tuple[bytes, bytes], ...]


def security_headers() -> Headers:
    """Return the headers; HSTS only where visitors use https, else a browser would lock them out.

    A page may set its own Referrer-Policy: hosted forms do.
    """
    headers = [
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]
    if settings.PUBLIC_URL.startswith("https://"):
        headers.append((b"strict-transport-security", HSTS.encode()))
    return tuple(headers)


class SecurityHeaders:
    """ASGI middleware in front of all others; adds the headers that an answer does not set."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._headers = security_headers()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self._completed(message.get("headers", ()))}
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _completed(self, headers: Any) -> list[tuple[bytes, bytes]]:
        names = {name.lower() for name, _ in headers}
        return [*headers, *(header for header in self._headers if header[0] not in names)]
