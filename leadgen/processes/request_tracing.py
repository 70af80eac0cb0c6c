"""OpenTelemetry span for each request, around the edge and Django."""

from typing import Any

from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from leadgen.lib.telemetry import request_context, tracing
from leadgen.operations.logs import without_reset_key
from leadgen.processes.request_limits import App, Message, Receive, Send

# Probes, scrapes and static files: frequent and of no interest.
_QUIET = ("/health/", "/metrics", "/static/")
_PLACES = {"f", "api", "admin", "embed.js"}


class RequestTracing:
    """Continue the caller's W3C trace if there is one; only imported when tracing is on."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_QUIET):
            await self._app(scope, receive, send)
            return
        with tracing.tracer().start_as_current_span(
            _name(scope), _parent(scope), kind=SpanKind.SERVER, attributes=_attributes(scope)
        ) as span:

            async def send_and_record(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            mark = request_context.traceparent.set(tracing.parent_of(span))
            try:
                await self._app(scope, receive, send_and_record)
            finally:
                request_context.traceparent.reset(mark)


def _parent(scope: Any) -> Any:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return TraceContextTextMapPropagator().extract(headers)


def _name(scope: Any) -> str:
    # CONNECT names a host without a slash.
    place = scope["path"].partition("/")[2].partition("/")[0]
    return f"{scope['method']} /{place if place in _PLACES else '…'}"


def _attributes(scope: Any) -> dict[str, str]:
    # The path without its query: searches hold names and addresses.
    return {"http.request.method": scope["method"], "url.path": without_reset_key(scope["path"])}
