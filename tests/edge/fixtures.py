"""A client of the edge, and fixtures that its tests and those of capture share."""

import asyncio
import json
import socket
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
from django.core.asgi import get_asgi_application

from leadgen.capture import nudge, screening
from leadgen.capture.ledger.connection import LedgerConnection
from leadgen.edge.app import Edge
from leadgen.edge.read_pool import ReadPool
from leadgen.forms.format.fields import KINDS
from leadgen.forms.format.fields.texts import Text
from leadgen.lib.postgresql.connections import connection_parameters
from tests.factories import make_form


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Client:
    """Speaks ASGI to an application, without a server."""

    app: Edge
    runner: asyncio.Runner
    address: str = "203.0.113.9"
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method, path, body=b"", **headers):
        return self.runner.run(self.asend(method, path, body, **headers))

    def get(self, path, **headers):
        return self.send("GET", path, **headers)

    def post_json(self, path, data, **headers):
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        return self.send("POST", path, body, **{"content_type": "application/json", **headers})

    def post_form(self, path, data, **headers):
        body = data if isinstance(data, bytes) else urlencode(data, doseq=True).encode()
        kind = "application/x-www-form-urlencoded"
        return self.send("POST", path, body, **{"content_type": kind, **headers})

    def post_multipart(self, path, pairs, boundary="limit"):
        body = b"".join(
            b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
            % (boundary.encode(), name.encode(), text.encode())
            for name, text in pairs
        )
        kind = f"multipart/form-data; boundary={boundary}"
        return self.send("POST", path, body + f"--{boundary}--\r\n".encode(), content_type=kind)

    async def asend(self, method, path, body=b"", receive=None, **headers):
        path, _, query = path.partition("?")
        headers = {"host": "testserver", **self.headers, **headers}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [
                (name.replace("_", "-").encode(), value.encode("latin-1"))
                for name, value in headers.items()
            ],
            "client": (self.address, 1234),
            "server": ("testserver", 80),
        }
        messages = [{"type": "http.request", "body": body, "more_body": False}]
        sent = []

        async def receive_body():
            return messages.pop(0) if messages else await asyncio.Future()

        async def keep(message):
            sent.append(message)

        await self.app(scope, receive or receive_body, keep)
        names = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], names, b"".join(m.get("body", b"") for m in sent[1:]))


def submissions_path(form):
    """Return the API's address for submissions of the form."""
    return f"/api/v1/public/forms/{form.public_id}/submissions"


@pytest.fixture
def restricted_form(transactional_db):
    """A live form that one other website may send."""
    return make_form(allowed_origins="https://www.example.com")


@pytest.fixture
def path(restricted_form):
    """The API's address for its submissions; a module with a form of its own overrides it."""
    return submissions_path(restricted_form)


@pytest.fixture(autouse=True)
def nudges(monkeypatch):
    """Count the hints instead of sending them."""
    counted = []
    monkeypatch.setattr(nudge._nudger, "nudge", lambda: counted.append(1))
    monkeypatch.setattr(nudge._replayer, "nudge", lambda: None)
    return counted


@pytest.fixture
def make_client(transactional_db):
    """Build clients, each of an edge of its own; all pools are closed afterwards."""
    with asyncio.Runner() as runner:
        edges = []

        def make(parameters=None, timeout=3.0, max_age=0.0, line_parameters=None):
            database = ReadPool(parameters, timeout=timeout)
            writer = LedgerConnection(line_parameters or parameters, timeout=timeout)
            edges.append(Edge(get_asgi_application(), database, writer, max_age=max_age))
            return Client(edges[-1], runner)

        yield make
        for edge in edges:
            runner.run(edge.close())


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def away():
    """Where no PostgreSQL listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield {**connection_parameters(), "host": "127.0.0.1", "port": unused.getsockname()[1]}


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    """A storage of the test's own; its folder."""
    folder = tmp_path / "storage"
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": folder},
        }
    }
    return folder


@pytest.fixture
def no_storage(storage):
    """Make the storage fail: its folder is a file."""
    storage.write_text("in the way")


@pytest.fixture
def hurried(monkeypatch):
    """Do not hold what is sent at once."""
    monkeypatch.setattr(screening, "_MIN_SECONDS", 0.0)


@pytest.fixture
def reader(monkeypatch):
    """Turn this process into one of the release that wrote the definitions."""

    def become():
        monkeypatch.setattr("leadgen.forms.format.reader.NEEDS", frozenset({"logic"}))
        monkeypatch.setitem(KINDS, "hologram", Text())

    return become


@pytest.fixture(autouse=True)
def _no_limits(settings):
    settings.CAPTURE_FLOOD_PER_MINUTE = settings.CAPTURE_LIMIT_PER_MINUTE = 1_000_000
