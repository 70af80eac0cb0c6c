"""Spans of requests hold no secrets, and every request target gets one."""

import asyncio

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from leadgen.lib.telemetry import tracing
from leadgen.processes.request_tracing import RequestTracing


@pytest.fixture
def span_of(monkeypatch):
    """Return a function that sends a request and returns its only span."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "tracer", lambda: provider.get_tracer("test"))

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})

    async def send(message):
        pass

    def request(method, path):
        scope = {"type": "http", "method": method, "path": path, "headers": []}
        asyncio.run(RequestTracing(app)(scope, None, send))  # type: ignore[arg-type]
        (span,) = exporter.get_finished_spans()
        return span

    return request


def test_span_has_no_key_of_a_password_reset(span_of):
    assert span_of("GET", "/login/reset/4-dir2vh-5484").attributes["url.path"] == (
        "/login/reset/[key]"
    )


@pytest.mark.parametrize("path", ["forms.example.com:443", "*", ""])
def test_request_target_without_a_slash_gets_a_span(span_of, path):
    assert span_of("CONNECT", path).name == "CONNECT /…"
