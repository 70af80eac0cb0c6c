"""OpenTelemetry tracing; imported only when OTEL_EXPORTER_OTLP_ENDPOINT is set."""

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

# OpenTelemetry's default limit of links per span.
_MAX_LINKS = 128


def are_kept() -> bool:
    """Tell whether an endpoint for traces is configured."""
    return bool(env.string("OTEL_EXPORTER_OTLP_ENDPOINT"))


def tracer() -> "Tracer":
    """Return the tracer; each process has an exporter of its own."""
    return _provider().get_tracer("leadgen")


def flush() -> None:
    """Export pending spans; for processes that end without running exit handlers."""
    if _provider.cache_info().currsize:
        _provider().force_flush()


def parent_of(span: "Span") -> str:
    """Return the W3C traceparent of a recorded span, or an empty string."""
    context = span.get_span_context()
    if not span.is_recording():
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


@contextmanager
def batch(name: str, parents: Iterable[str]) -> Iterator[None]:
    """Trace one batch of a job; ``parents`` are the traceparents of its items, or empty strings.

    The batch has a trace of its own, ``<name> batch``, with links to the requests' traces. Each
    request's trace gets a span ``<name>`` with the batch's times, so that it shows when the item
    was processed.
    """
    if not are_kept():
        yield
        return
    from opentelemetry.trace import Link, SpanKind

    contexts, started = _contexts(parents), time.time_ns()
    links = [Link(context) for context in contexts[:_MAX_LINKS]]
    with tracer().start_as_current_span(
        f"{name} batch", kind=SpanKind.CONSUMER, links=links
    ) as span:
        token = request_context.traceparent.set(parent_of(span))
        try:
            yield
        finally:
            request_context.traceparent.reset(token)
    _add_spans(name, contexts, span.get_span_context(), started)


def _add_spans(
    name: str, contexts: "Sequence[SpanContext]", batch: "SpanContext", started: int
) -> None:
    from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, set_span_in_context

    for context in contexts:
        parent = set_span_in_context(NonRecordingSpan(context))
        tracer().start_span(
            name,
            parent,
            kind=SpanKind.CONSUMER,
            links=[Link(batch)],
            start_time=started,
        ).end()


def _contexts(parents: Iterable[str]) -> "list[SpanContext]":
    from opentelemetry.trace import get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    extract = TraceContextTextMapPropagator().extract
    extracted = (extract({"traceparent": parent}) for parent in parents if parent)
    contexts = (get_current_span(context).get_span_context() for context in extracted)
    return [context for context in contexts if context.is_valid]


@cache
def _provider() -> "TracerProvider":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence.
    resource = Resource.create({"service.name": "leadgen"})
    provider = TracerProvider(resource=resource.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
