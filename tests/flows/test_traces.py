import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import Request, urlopen

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from leadgen.capture.models import Submission
from tests.factories import make_form
from tests.flows.waiting import eventually
from tests.stack import embedded, running

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector(HTTPServer):
    """Takes traces as any OTLP collector does."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Receiver)
        self.spans = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def of(self, trace):
        return {s.name: s for s in self.spans if s.trace_id.hex() == trace}


class Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.server.spans += scope.spans
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def collector():
    server = Collector()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def traced_stack(transactional_db, tmp_path, collector):
    tracing = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with running(tmp_path, embedded(tmp_path) | tracing) as stack:
        yield stack


def post(stack, form):
    request = Request(
        f"{stack.url}/api/v1/public/forms/{form.public_id}/submissions",
        json.dumps({"fields": {"name": "Ada", "email": "ada@example.com"}}).encode(),
        {"Content-Type": "application/json", "traceparent": f"00-{TRACE}-{CALLER}-01"},
    )
    with urlopen(request, timeout=10) as answer:
        assert answer.status == 201


@pytest.mark.processes
def test_one_trace_leads_from_the_browsers_request_to_the_lead(traced_stack, collector):
    post(traced_stack, make_form())
    eventually(lambda: set(collector.of(TRACE)) == {"POST /api", "intake"}, seconds=40)
    request, intake = collector.of(TRACE)["POST /api"], collector.of(TRACE)["intake"]
    assert request.parent_span_id.hex() == CALLER
    assert intake.parent_span_id == request.span_id
    (link,) = intake.links
    batch = next(span for span in collector.spans if span.span_id == link.span_id)
    assert batch.name == "intake batch"
    assert [to.span_id for to in batch.links] == [request.span_id]
    parent = Submission.objects.get().context["trace"]
    assert parent == f"00-{TRACE}-{request.span_id.hex()}-01"


@pytest.mark.processes
def test_trace_not_sampled_by_the_caller_is_not_recorded(traced_stack, collector):
    request = Request(
        f"{traced_stack.url}/login", headers={"traceparent": f"00-{TRACE}-{CALLER}-00"}
    )
    with urlopen(request, timeout=10), urlopen(f"{traced_stack.url}/login", timeout=10):
        eventually(lambda: len(collector.spans) > 0, seconds=20)
    assert collector.of(TRACE) == {}


@pytest.mark.parametrize("module", ["leadgen.asgi", "leadgen.leads.tasks"])
def test_opentelemetry_is_not_imported_without_endpoint(module):
    code = f"import leadgen.asgi, {module}, sys; sys.exit('opentelemetry' in sys.modules)"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    done = subprocess.run([sys.executable, "-c", code], env=kept, check=False)
    assert done.returncode == 0
