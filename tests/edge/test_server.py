"""The edge behind the real server, and clients that misbehave below HTTP."""

import os
import select
import signal
import socket
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager, suppress

import pytest

from leadgen.capture.models import Submission
from tests.factories import make_form
from tests.stack import embedded, running

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

BODY = b'{"fields": {"name": "Ada", "email": "ada@example.com"}}'


@pytest.fixture(scope="module")
def web(django_db_setup, django_db_blocker, tmp_path_factory):
    """The role web with one process and a broker that takes everything; it ends by itself."""
    folder = tmp_path_factory.mktemp("server")
    with django_db_blocker.unblock():
        backends = embedded(folder) | {"BROKER_URL": "memory://", "WEB_CONCURRENCY": "1"}
    with running(folder, backends, roles=("web",)) as stack:
        yield stack
        stack.end("web", 30)


@pytest.fixture
def server(web):
    """Its address."""
    return web.address


def exchange(address, *parts, half_closed=False):
    """Send raw bytes, return all that comes back until the server closes."""
    with socket.create_connection(address, timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        if half_closed:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


def press(address, opening, more):
    """Send without end until the server answers or closes; return the answer and the seconds."""
    started, answer = time.monotonic(), b""
    with socket.create_connection(address) as connection, suppress(ConnectionError):
        connection.sendall(opening)
        while time.monotonic() - started < 20:
            readable, writable, _ = select.select([connection], [connection], [], 20)
            if readable:
                if not (chunk := connection.recv(65536)):
                    break
                answer += chunk
            elif writable:
                connection.send(more)
    return answer, time.monotonic() - started


def head(form, *lines):
    path = f"/api/v1/public/forms/{form.public_id}/submissions"
    start = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *lines, "", ""]
    return "\r\n".join(start).encode()


LENGTH = f"Content-Length: {len(BODY)}"


def test_the_edge_answers_and_leaves_the_rest_to_django(server):
    form = make_form()
    base = f"http://{server[0]}:{server[1]}"
    with urllib.request.urlopen(f"{base}/f/{form.slug}") as page:
        assert b"Talk to sales" in page.read()
    with urllib.request.urlopen(f"{base}/login") as login:
        assert login.status == 200
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{base}/f/nowhere")


def test_two_requests_share_a_connection(server):
    form = make_form()
    answer = exchange(
        server, head(form, LENGTH) + BODY, head(form, LENGTH, "Connection: close") + BODY
    )
    assert answer.count(b"HTTP/1.1 201") == 2
    assert Submission.objects.count() == 2


SECURED = (
    b"x-content-type-options: nosniff",
    b"referrer-policy: ",
    b"cross-origin-opener-policy: ",
)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /health/live HTTP/1.1\r\nHost: x", b"200"),
        (b"GET /f/nowhere HTTP/1.1\r\nHost: x", b"404"),
        (b"GET /login HTTP/1.1\r\nHost: localhost", b"200"),
        (b"GET /static/leadgen/hosted.css HTTP/1.1\r\nHost: localhost", b"200"),
        (b"GET /f/a b HTTP/1.1\r\nHost: x", b"400"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x", b"414"),
        (b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 100_000, b"431"),
    ],
)
def test_answers_of_the_server_have_the_security_headers(server, line, status):
    answer = exchange(server, line + b"\r\nConnection: close\r\n\r\n").lower()
    assert answer.startswith(b"http/1.1 " + status)
    assert [name for name in SECURED if answer.count(b"\r\n" + name) != 1] == []
    assert b"\r\nserver:" not in answer


@pytest.mark.parametrize("prefix", ["http://localhost", "HTTPS://me@localhost:8000"])
def test_absolute_request_target_is_served(server, prefix):
    form = make_form()
    for path in (f"/f/{form.slug}", f"/f/{form.slug}?utm_source=a/b", "/login"):
        request = f"GET {prefix}{path} HTTP/1.1\r\nHost: ignored\r\nConnection: close\r\n\r\n"
        assert exchange(server, request.encode()).startswith(b"HTTP/1.1 200")


def test_absolute_request_target_without_a_path_is_the_root(server):
    request = b"GET http://localhost HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert exchange(server, request).startswith(b"HTTP/1.1 302")


def test_expect_100_continue_is_answered(server):
    lines = (LENGTH, "Expect: 100-continue", "Connection: close")
    answer = exchange(server, head(make_form(), *lines), BODY)
    assert answer.rpartition(b"HTTP/1.1 ")[2].startswith(b"201")


def test_head_has_no_body(server):
    request = f"HEAD /f/{make_form().slug} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = exchange(server, request.encode())
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("lines", "body", "status"),
    [
        (["Transfer-Encoding: chunked"], b"zz\r\nabc\r\n0\r\n\r\n", b"400"),
        (["Content-Length: many"], BODY, b"400"),
        (["Content-Length: -1"], BODY, b"400"),
        (["Content-Length: " + "9" * 4400], BODY, b"400"),
        (["Content-Length: 5", "Content-Length: 6"], BODY, b"400"),
        (["Content-Length: 5", "Transfer-Encoding: chunked"], BODY, b"400"),
        (["Content-Length: 1000000000"], b"a" * 1000, b"413"),
        ([LENGTH, "X-Long: " + "a" * 100_000], BODY, b"431"),
        ([LENGTH, "X-Nul: a\x00b"], BODY, b"400"),
    ],
)
def test_malformed_http_is_refused_and_the_next_request_served(server, lines, body, status):
    form = make_form()
    assert exchange(server, head(form, *lines) + body).startswith(b"HTTP/1.1 " + status)
    good = exchange(server, head(form, LENGTH, "Connection: close") + BODY)
    assert good.startswith(b"HTTP/1.1 201")


ENDLESS = {
    "header": (b"GET /health/live HTTP/1.1\r\nX-Long: ", b"a" * 65536, b"431"),
    "headers": (b"GET /health/live HTTP/1.1\r\n", b"X-More: a\r\n" * 5000, b"431"),
    "address": (b"GET /", b"a" * 65536, b"414"),
    "body": (b"", b"8000\r\n" + b"a" * 0x8000 + b"\r\n", b"413"),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_endless_request_is_refused_and_frees_its_memory(web, server, kind):
    form = make_form()
    opening, more, status = ENDLESS[kind]
    opening = opening or head(form, "Transfer-Encoding: chunked")
    press(server, opening, more)
    at_rest = web.memory("web")
    pressed = [press(server, opening, more) for _ in range(20)]
    seen = {answer[:12] for answer, _ in pressed}
    assert seen - {b""} == {b"HTTP/1.1 " + status}  # a reset may overtake an answer
    assert max(seconds for _, seconds in pressed) < 1
    assert web.memory("web") - at_rest < 20
    good = exchange(server, head(form, LENGTH, "Connection: close") + BODY)
    assert good.startswith(b"HTTP/1.1 201")


def test_page_answers_413_to_a_body_of_30_mb(server):
    lines = ("POST /login HTTP/1.1", "Host: localhost", "Content-Length: 30000000", "", "")
    opening = "\r\n".join(lines).encode()
    answer = exchange(server, opening, *[bytes(1_000_000)] * 30)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"at most 262,144 bytes" in answer


@pytest.mark.parametrize("path", ["/login", "/f/nowhere"])
def test_a_body_in_very_many_pieces_is_refused_before_its_end(server, path):
    lines = (f"POST {path} HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked", "", "")
    answer = exchange(server, "\r\n".join(lines).encode() + b"1\r\na\r\n" * 5_000)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"send larger chunks" in answer


def test_body_in_a_few_thousand_chunks_is_accepted(server):
    form = make_form()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"
    opening = head(form, "Transfer-Encoding: chunked", "Connection: close")
    assert exchange(server, opening + chunks).startswith(b"HTTP/1.1 201")


@contextmanager
def silent(server, *addresses, each):
    """Hold so many connections from each address; yields them."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection(server, 20, (address, 0)))
            for address in addresses
            for _ in range(each)
        ]


def ended(connections):
    """How many of these the server has closed, half a second after the last one was made."""
    deadline, closed = time.monotonic() + 0.5, set()
    while (left := deadline - time.monotonic()) > 0:
        open_ones = [each for each in connections if each not in closed]
        poll = select.poll()
        known = {each.fileno(): each for each in open_ones}
        for number in known:
            poll.register(number, select.POLLIN)
        closed |= {known[number] for number, _ in poll.poll(left * 1000)}
    return len(closed)


def test_address_holds_at_most_half_of_the_connections(server):
    with silent(server, "127.0.0.5", each=520) as connections:
        assert ended(connections) == 20


def test_full_process_serves_a_new_visitor(server):
    with silent(server, "127.0.0.6", "127.0.0.7", "127.0.0.8", each=400) as connections:
        request = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert exchange(server, request).startswith(b"HTTP/1.1 200")
        assert ended(connections) >= 200


def test_500_new_connections_wait_for_a_process_that_is_busy(web, server):
    started = time.monotonic()
    with ExitStack() as stack:
        for child in web.children("web"):
            os.kill(child, signal.SIGSTOP)
            stack.callback(os.kill, child, signal.SIGCONT)
        for number in range(500):
            source = (f"127.0.1.{number % 250 + 1}", 0)
            stack.enter_context(socket.create_connection(server, 20, source))
        # A SYN that finds the backlog full is sent again after a second.
        assert time.monotonic() - started < 1


def test_half_a_body_is_no_submission(server):
    form = make_form()
    exchange(server, head(form, "Content-Length: 5000") + BODY, half_closed=True)
    chunk = b"%x\r\n%b\r\n" % (len(BODY), BODY)
    exchange(server, head(form, "Transfer-Encoding: chunked") + chunk, half_closed=True)
    assert not Submission.objects.exists()


def test_stalled_body_is_abandoned_after_ten_seconds(server):
    started = time.monotonic()
    answer = exchange(server, head(make_form(), "Content-Length: 5000") + b'{"fields"')
    assert answer.startswith(b"HTTP/1.1 408")
    assert 9 < time.monotonic() - started < 15


def test_submission_of_a_disconnected_visitor_is_stored(server):
    form = make_form()
    with socket.create_connection(server) as connection:
        connection.sendall(head(form, LENGTH) + BODY)
    deadline = time.monotonic() + 10
    while not Submission.objects.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
