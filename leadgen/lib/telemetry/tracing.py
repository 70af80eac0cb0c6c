"""Traces, where OTEL_EXPORTER_OTLP_ENDPOINT is set; else OpenTelemetry is not even imported."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from leadgen.lib import env
from leadgen.lib.telemetry import request_context

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, SpanContext, Tracer

# What a span may be linked to, by OpenTelemetry's own default.
_MOST_LINKS = 128


def are_kept() -> bool:
    """Tell whether this deployment has somewhere to send traces."""
    return bool(env.string("OTEL_EXPORTER_OTLP_ENDPOINT"))


def tracer() -> "Tracer":
    """Return what makes spans, with a sender of its own in each process."""
    return _provider().get_tracer("leadgen")


def flush() -> None:
    """Send what waits; for processes that end without their exit handlers."""
    if _provider.cache_info().currsize:
        _provider().force_flush()


def parent_of(span: "Span") -> str:
    """Return W3C's traceparent of a span that is recorded, else nothing."""
    context = span.get_span_context()
    if not span.is_recording():
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


@contextmanager
def batch(parents: Iterable[str]) -> Iterator[None]:
    """Trace one batch of the intake; ``parents`` are its submissions' traceparents, or empty.

    The batch has a trace of its own, with links to those of the requests. Each of these gets a
    span with the batch's times, so that a visitor's trace shows when the lead was made.
    """
    if not are_kept():
        yield
        return
    from opentelemetry.trace import Link, SpanKind

    contexts, started = _contexts(parents), time.time_ns()
    links = [Link(context) for context in contexts[:_MOST_LINKS]]
    with tracer().start_as_current_span(
        "intake batch", kind=SpanKind.CONSUMER, links=links
    ) as span:
        mark = request_context.traceparent.set(parent_of(span))
        try:
            yield
        finally:
            request_context.traceparent.reset(mark)
    _tell(contexts, span.get_span_context(), started)


def _tell(contexts: "Sequence[SpanContext]", batch: "SpanContext", started: int) -> None:
    from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, set_span_in_context

    for context in contexts:
        above = set_span_in_context(NonRecordingSpan(context))
        tracer().start_span(
            "intake",
            above,
            kind=SpanKind.CONSUMER,
            links=[Link(batch)],
            start_time=started,
        ).end()


def _contexts(parents: Iterable[str]) -> "list[SpanContext]":
    from opentelemetry.trace import get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    read = TraceContextTextMapPropagator().extract
    given = (read({"traceparent": parent}) for parent in parents if parent)
    contexts = (get_current_span(context).get_span_context() for context in given)
    return [context for context in contexts if context.is_valid]


@cache
def _provider() -> "TracerProvider":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say wins.
    resource = Resource.create({"service.name": "leadgen"})
    provider = TracerProvider(resource=resource.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
