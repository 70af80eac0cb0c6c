"""The outbound client refuses every spelling of a private address and bounds every answer."""

import gzip
import os
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import trustme
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings

from leadgen.lib.net import addresses, bounded_sockets, http
from leadgen.lib.net.addresses import allowed_networks
from leadgen.lib.net.http import Client
from leadgen.lib.net.http_errors import (
    AddressRefusedError,
    ConnectionFailedError,
    InvalidRequestError,
    InvalidUrlError,
    OutboundError,
    OutboundTimeoutError,
    TlsError,
    TooLargeError,
    TooManyRedirectsError,
)
from tests.lib.net.receivers import on_every_address, plain, receiver, redirect, reply
from tests.lib.net.spellings import HOSTS, REFUSED_ADDRESSES, REFUSED_SPELLINGS

NAME = "hooks.example.com"


def resolve(host, port):
    return HOSTS[host]


def client_for(*servers, **options):
    """Return a client that finds NAME and every receiver on 127.0.0.1, on their ports only."""
    networks = allowed_networks(f"127.0.0.1/32:{server.port}" for server in servers)
    return replace(Client(allowed=networks, resolve=lambda host, port: ["127.0.0.1"]), **options)


@pytest.fixture
def serve():
    with ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(receiver(*args, **options))


@pytest.fixture
def trap(serve, monkeypatch):
    """A server on every address of this machine, on a port that counts as 80 here."""
    server = serve(reply(), listener=on_every_address())
    monkeypatch.setattr(addresses, "DEFAULT_PORTS", (80, 443, server.port))
    return server


def call(server, url="http://hooks.example.com:{port}/", method="GET", **options):
    return client_for(server).request(method, url.format(port=server.port), **options)


# -- Refused addresses and spellings ---------------------------------------------------------------


@pytest.mark.parametrize("url", REFUSED_ADDRESSES)
def test_private_address_is_refused(url, trap):
    for port in ("", f":{trap.port}"):
        with pytest.raises(AddressRefusedError, match=r"not a public|can never be called"):
            Client(resolve=resolve).request("GET", url.format(port=port), timeout=5)
    assert trap.connections == 0


@pytest.mark.parametrize("url", REFUSED_SPELLINGS)
def test_ambiguous_spelling_is_refused(url, trap):
    for port in ("", f":{trap.port}"):
        with pytest.raises(InvalidUrlError):
            Client(resolve=resolve).request("GET", url.replace("{port}", port), timeout=5)
    assert trap.connections == 0


REDIRECT_TARGETS = [
    url
    for url in (*REFUSED_ADDRESSES, *REFUSED_SPELLINGS)
    # Without a scheme or host it is a path of the first host; white space around it is no part.
    if url.isascii()
    and url == url.strip()
    and "://" in url
    and not url.startswith("http:///")
    and url != "http://"
]


@pytest.mark.parametrize("url", REDIRECT_TARGETS)
def test_redirect_to_refused_url_is_refused(url, serve):
    inner = serve(reply(), listener=on_every_address())
    location = url.replace("{port}", f":{inner.port}").replace("\r", "").replace("\n", "")
    first = serve(redirect(location))
    both = {NAME: ["127.0.0.1"]} | HOSTS
    client = client_for(first, resolve=lambda host, port: both[host])
    with pytest.raises((AddressRefusedError, InvalidUrlError)):
        client.request("GET", f"http://{NAME}:{first.port}/", timeout=5)
    assert (first.connections, inner.connections) == (1, 0)


@pytest.mark.parametrize(
    "location", ["//127.0.0.2:{port}/", "//user@127.0.0.1:{port}/", "//[::1]:{port}/"]
)
def test_protocol_relative_redirect_is_checked(location, serve):
    inner = serve(reply(), listener=on_every_address())
    first = serve(redirect(location.format(port=inner.port)))
    with pytest.raises((AddressRefusedError, InvalidUrlError)):
        call(first)
    assert inner.connections == 0


def test_name_is_resolved_once_for_check_and_connection(serve, monkeypatch):
    first = serve(reply(b"first"))
    inner = serve(reply(b"inner"), listener=socket.create_server(("127.0.0.2", first.port)))
    answers = iter([["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2"]])
    client = client_for(first, resolve=lambda host, port: next(answers))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: pytest.fail("resolved"))
    assert client.request("GET", f"http://{NAME}:{first.port}/").body == b"first"
    with pytest.raises(AddressRefusedError):
        client.request("GET", f"http://{NAME}:{first.port}/")
    assert inner.connections == 0


def test_every_hop_is_resolved_and_checked_again(serve):
    first = serve(redirect("/again"))
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    client = client_for(first, resolve=lambda host, port: next(answers))
    with pytest.raises(AddressRefusedError, match=r"127\.0\.0\.2 is not a public address"):
        client.request("GET", f"http://{NAME}:{first.port}/")
    assert first.connections == 1


def test_allowed_and_private_address_together_are_refused(serve):
    server = serve(reply())
    client = client_for(server, resolve=lambda host, port: ["127.0.0.1", "10.0.0.1"])
    with pytest.raises(AddressRefusedError, match=r"10\.0\.0\.1 is not"):
        client.request("GET", f"http://{NAME}:{server.port}/")
    assert server.connections == 0


@pytest.mark.parametrize("port", [22, 25, 5432, 8080, 65_535])
def test_port_of_public_address_must_be_80_or_443(port):
    client = Client(resolve=lambda host, port: ["93.184.216.34"])
    with pytest.raises(AddressRefusedError, match=f"port {port} is neither 80 nor 443"):
        client.request("GET", f"http://example.com:{port}/")


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "64:ff9b::5db8:d822", "2a00:1450::1"],
)
@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443)])
def test_public_address_is_connected_to(address, scheme, port, monkeypatch):
    asked = []

    def connect(addresses, port, budget):
        asked.append((addresses, port))
        raise ConnectionRefusedError

    monkeypatch.setattr(http, "connect", connect)
    with pytest.raises(ConnectionFailedError):
        Client(resolve=lambda host, port: [address]).request("GET", f"{scheme}://example.com/")
    assert asked == [([address], port)]


def test_hosts_file_is_used_without_injected_resolver(serve):
    server = serve(reply())
    networks = allowed_networks([f"127.0.0.1/32:{server.port}", f"[::1/128]:{server.port}"])
    url = f"http://localhost:{server.port}/"
    assert Client(allowed=networks).request("GET", url).body == b"ok"
    with pytest.raises(AddressRefusedError):
        Client().request("GET", url)


def test_settings_name_the_networks_that_may_be_called(serve, settings):
    server = serve(reply())
    url = f"http://127.0.0.1:{server.port}/"
    settings.OUTBOUND_ALLOWED_NETWORKS = ()
    with pytest.raises(AddressRefusedError, match=f"127.0.0.1/32:{server.port} to OUTBOUND_ALLOW"):
        http.request("GET", url)
    settings.OUTBOUND_ALLOWED_NETWORKS = allowed_networks([f"127.0.0.0/8:{server.port}"])
    assert http.request("GET", url).body == b"ok"


# -- Environment -----------------------------------------------------------------------------------


def test_proxy_variables_are_ignored(serve, monkeypatch):
    server, proxy = serve(reply()), serve(reply(b"proxy"))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv(name.upper(), f"http://127.0.0.1:{proxy.port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert call(server).body == b"ok"
    assert proxy.connections == 0


def test_netrc_is_ignored(serve, monkeypatch, tmp_path):
    server = serve(reply())
    (tmp_path / ".netrc").write_text(f"machine {NAME} login user password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    call(server)
    assert b"authorization" not in server.requests[0].lower()


# -- What is sent ----------------------------------------------------------------------------------


def test_request_has_host_of_the_name_and_its_body(serve):
    server = serve(reply(b"made", "201 Created", {"X-Id": "7"}))
    response = call(
        server,
        "http://Hooks.Example.COM:{port}/a b".replace(" ", "%20") + "?q=ü#part",
        "POST",
        body=b"{}",
        headers={"Content-Type": "application/json"},
    )
    head, _, body = server.requests[0].decode().partition("\r\n\r\n")
    assert head.startswith("POST /a%20b?q=%C3%BC HTTP/1.1\r\n")
    assert f"\r\nHost: {NAME}:{server.port}\r\n" in head
    assert "\r\nContent-Type: application/json" in head
    assert body == "{}"
    assert (response.status, response.body, response.header("x-id")) == (201, b"made", "7")
    assert response.url == f"http://{NAME}:{server.port}/a%20b?q=%C3%BC"


def test_each_request_has_a_connection_of_its_own(serve):
    server = serve(reply())
    client = client_for(server)
    for _ in range(3):
        client.request("GET", f"http://{NAME}:{server.port}/")
    assert server.connections == 3
    assert b"Connection: close" in server.requests[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "other.example.com"},
        {"content-length": "5"},
        {"Transfer-Encoding": "chunked"},
        {"X-A": "1\r\nHost: other"},
        {"X-A\r\nHost": "other"},
        {"X A": "1"},
        {"X-A": "ü"},
    ],
)
def test_header_that_breaks_framing_is_refused(headers, serve):
    server = serve(reply())
    with pytest.raises(InvalidRequestError):
        call(server, headers=headers)
    assert server.connections == 0


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "get", "GET / HTTP/1.1\r\nX: y", ""])
def test_unknown_method_is_refused(method, serve):
    server = serve(reply())
    with pytest.raises(InvalidRequestError):
        call(server, method=method)
    assert server.connections == 0


def test_next_address_is_tried_when_one_is_closed(serve):
    server = serve(reply())
    networks = allowed_networks([f"127.0.0.0/8:{server.port}"])
    client = Client(allowed=networks, resolve=lambda host, port: ["127.0.0.9", "127.0.0.1"])
    assert client.request("GET", f"http://{NAME}:{server.port}/").body == b"ok"


# -- Redirects -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "method", "followed_by", "body"),
    [
        (301, "POST", "GET", b""),
        (302, "POST", "GET", b""),
        (303, "POST", "GET", b""),
        (303, "PUT", "GET", b""),
        (301, "PUT", "PUT", b"{}"),
        (302, "DELETE", "DELETE", b"{}"),
        (307, "POST", "POST", b"{}"),
        (308, "PATCH", "PATCH", b"{}"),
        (303, "HEAD", "HEAD", b"{}"),
    ],
)
def test_redirect_keeps_or_drops_method_and_body(status, method, followed_by, body, serve):
    last = serve(reply())
    first = serve(redirect(f"http://{NAME}:{last.port}/next", status))
    client_for(first, last).request(
        method,
        f"http://{NAME}:{first.port}/",
        body=b"{}",
        headers={"Content-Type": "application/json"},
    )
    head, _, sent = last.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(f"{followed_by} /next HTTP/1.1\r\n".encode())
    assert sent == body
    assert (b"Content-Type" in head) == bool(body)


def test_relative_redirect_stays_on_the_host_and_keeps_headers(serve):
    hops = iter([redirect("../b?x=1"), reply(b"done")])
    server = serve(lambda exchange: next(hops)(exchange))
    response = call(server, "http://hooks.example.com:{port}/a/c/d", headers={"X-Key": "secret"})
    assert response.body == b"done"
    assert response.url == f"http://{NAME}:{server.port}/a/b?x=1"
    assert b"X-Key: secret" in server.requests[1]


def test_other_origin_gets_no_credentials(serve):
    last = serve(reply())
    first = serve(redirect(f"http://{NAME}:{last.port}/", 307))
    headers = {"Authorization": "Bearer a", "Cookie": "b", "X-Api-Key": "c", "Accept": "text/d"}
    client_for(first, last).request("POST", f"http://{NAME}:{first.port}/", headers=headers)
    assert b"X-Api-Key: c" in first.requests[0]
    for name in (b"authorization", b"cookie", b"x-api-key"):
        assert name not in last.requests[0].lower()
    assert b"Accept: text/d" in last.requests[0]


def test_endless_redirects_end_at_the_limit(serve):
    server = serve(redirect("/again"))
    with pytest.raises(TooManyRedirectsError, match="use the final address"):
        call(server)
    assert server.connections == http.MAX_REDIRECTS + 1


def test_no_redirect_is_followed_when_none_is_allowed(serve):
    server = serve(redirect("/again"))
    with pytest.raises(TooManyRedirectsError):
        client_for(server, max_redirects=0).request("GET", f"http://{NAME}:{server.port}/")
    assert server.connections == 1


@pytest.mark.parametrize("status", [200, 201, 300, 304, 305, 404, 500])
def test_other_status_is_returned_although_it_has_a_location(status, serve):
    server = serve(redirect("http://127.0.0.1/", status))
    assert call(server).status == status


# -- TLS -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def trusted(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return bounded_sockets.tls_context(str(path))


@pytest.fixture
def serve_tls(serve, authority):
    """Serve over TLS with a certificate of these names; the server's SNI are in ``names``."""

    def start(answer, *names, issuer=authority, **options):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        asked = []
        context.sni_callback = lambda sock, name, context: asked.append(name)
        issuer.issue_cert(*names, **options).configure_cert(context)
        server = serve(answer, tls=context)
        server.asked_names = asked
        return server

    return start


def test_certificate_and_sni_are_those_of_the_name(serve_tls, trusted):
    server = serve_tls(reply(b"safe"), NAME)
    client = client_for(server, tls=trusted)
    response = client.request("POST", f"https://{NAME}:{server.port}/", body=b"x" * 300_000)
    assert response.body == b"safe"
    assert server.asked_names == [NAME]
    assert f"Host: {NAME}:{server.port}".encode() in server.requests[0]


def test_certificate_of_the_address_is_invalid_for_the_name(serve_tls, trusted):
    server = serve_tls(reply(), "127.0.0.1")
    client = client_for(server, tls=trusted)
    assert client.request("GET", f"https://127.0.0.1:{server.port}/").body == b"ok"
    with pytest.raises(TlsError, match="must be valid for this name"):
        client.request("GET", f"https://{NAME}:{server.port}/")
    assert len(server.requests) == 1


@pytest.mark.parametrize("host", ["other.example.com", "example.com", "a.hooks.example.com"])
def test_certificate_of_another_name_is_refused(host, serve_tls, trusted):
    server = serve_tls(reply(), NAME)
    with pytest.raises(TlsError):
        client_for(server, tls=trusted).request("GET", f"https://{host}:{server.port}/")
    assert server.requests == []


def test_certificate_of_unknown_authority_is_refused(serve_tls, trusted):
    server = serve_tls(reply(), NAME, issuer=trustme.CA())
    with pytest.raises(TlsError, match="SSL_CERT_FILE"):
        client_for(server, tls=trusted).request("GET", f"https://{NAME}:{server.port}/")
    assert server.requests == []


def test_own_authority_is_unknown_to_the_default_context(serve_tls):
    server = serve_tls(reply(), NAME)
    with pytest.raises(TlsError):
        client_for(server).request("GET", f"https://{NAME}:{server.port}/")
    assert server.requests == []


def test_expired_certificate_is_refused(serve_tls, trusted):
    server = serve_tls(reply(), NAME, not_after=datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(TlsError, match="expired"):
        client_for(server, tls=trusted).request("GET", f"https://{NAME}:{server.port}/")


def test_plain_answer_on_https_is_a_tls_error(serve, trusted):
    server = serve(plain, reads=False)
    with pytest.raises(TlsError):
        client_for(server, tls=trusted).request("GET", f"https://{NAME}:{server.port}/")


def test_redirect_from_https_to_http_is_refused(serve, serve_tls, trusted):
    last = serve(reply())
    first = serve_tls(redirect(f"http://{NAME}:{last.port}/"), NAME)
    with pytest.raises(TlsError, match="redirects to http://hooks"):
        client_for(first, last, tls=trusted).request("GET", f"https://{NAME}:{first.port}/")
    assert last.connections == 0


def test_redirect_from_http_to_https_is_followed(serve, serve_tls, trusted):
    last = serve_tls(reply(b"safe"), NAME)
    first = serve(redirect(f"https://{NAME}:{last.port}/"))
    client = client_for(first, last, tls=trusted)
    assert client.request("GET", f"http://{NAME}:{first.port}/").body == b"safe"


# -- Bounds ----------------------------------------------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def then(start, step, data):
    def answer(exchange):
        exchange.send(start)
        getattr(exchange, step)(data)

    return answer


SLOW = {
    "silent": lambda exchange: exchange.stay_silent(),
    "status line": then(b"", "drip", b"HTTP/1.1 200 " + b"O" * 1_000),
    "header": then(OK, "drip", b"X-A: b\r\n"),
    "continue": then(b"", "drip", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": then(OK + b"Content-Length: 100000\r\n\r\n", "drip", b"x"),
    "body without length": then(OK + b"\r\n", "drip", b"x"),
    "chunks": then(CHUNKED, "drip", b"1\r\nx\r\n"),
    "chunk extension": then(CHUNKED, "drip", b"1;x"),
    "trailers": then(CHUNKED + b"0\r\n", "drip", b"X-A: b\r\n"),
}


def assert_times_out(client, url, **options):
    started = time.monotonic()
    with pytest.raises(OutboundTimeoutError, match="did not answer in time"):
        client.request("POST", url, timeout=0.4, **options)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW)
def test_slow_answer_ends_at_the_time_limit(answer, serve):
    server = serve(answer)
    assert_times_out(client_for(server), f"http://{NAME}:{server.port}/")


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW)
def test_slow_answer_over_tls_ends_at_the_time_limit(answer, serve_tls, trusted):
    server = serve_tls(answer, NAME)
    assert_times_out(client_for(server, tls=trusted), f"https://{NAME}:{server.port}/")


def test_slow_handshake_ends_at_the_time_limit(serve, trusted):
    server = serve(then(b"", "drip", b"\x16\x03\x03\x40\x00" + b"\x02" * 1_000), reads=False)
    assert_times_out(client_for(server, tls=trusted), f"https://{NAME}:{server.port}/")


def test_slow_upload_ends_at_the_time_limit(serve):
    server = serve(lambda exchange: exchange.stay_silent(), reads=False)
    url = f"http://{NAME}:{server.port}/"
    assert_times_out(client_for(server), url, body=bytes(30_000_000))


def test_slow_upload_over_tls_ends_at_the_time_limit(serve_tls, trusted):
    server = serve_tls(lambda exchange: exchange.stay_silent(), NAME)
    server.reads = False
    url = f"https://{NAME}:{server.port}/"
    assert_times_out(client_for(server, tls=trusted), url, body=bytes(30_000_000))


def test_slow_resolver_ends_at_the_time_limit():
    release = threading.Event()
    client = Client(resolve=lambda host, port: ["127.0.0.1"] * release.wait(10))
    assert_times_out(client, f"http://{NAME}/")
    release.set()


def test_time_limit_counts_all_hops_together(serve):
    def answer(exchange):
        exchange.receiver.stopped.wait(0.15)
        redirect("/again")(exchange)

    server = serve(answer)
    assert_times_out(client_for(server, max_redirects=1_000), f"http://{NAME}:{server.port}/")


ENDLESS = {
    "status line": then(b"", "flood", b"HTTP/1.1 200 OK "),
    "header": then(OK + b"X-A: ", "flood", b"b"),
    "headers": then(OK, "flood", b"X-A: b\r\n"),
    "continue": then(b"", "flood", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": then(OK + b"\r\n", "flood", b"x"),
    "chunks": then(CHUNKED, "flood", b"10\r\n0123456789abcdef\r\n"),
    "chunk extension": then(CHUNKED, "flood", b"1;x"),
    "trailers": then(CHUNKED + b"0\r\n", "flood", b"X-A: b\r\n"),
}


@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS)
def test_endless_answer_is_refused_in_little_memory(answer, serve):
    server = serve(answer)
    tracemalloc.start()
    try:
        with pytest.raises((TooLargeError, ConnectionFailedError)):
            call(server, timeout=20, max_bytes=100_000)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


ZEROS = bytes(100_000_000)
BOMBS = {
    "gzip": ("gzip", gzip.compress(ZEROS)),
    "deflate": ("deflate", zlib.compress(ZEROS, 9)),
    "raw deflate": ("deflate", deflate(ZEROS)),
    "gzip in gzip": ("gzip, gzip", gzip.compress(gzip.compress(ZEROS))),
}


@pytest.mark.parametrize(("coding", "data"), BOMBS.values(), ids=BOMBS)
def test_decompression_bomb_is_refused_in_little_memory(coding, data, serve):
    server = serve(reply(data, headers={"Content-Encoding": coding}))
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError, match="100,000 bytes of decoded body"):
            call(server, max_bytes=100_000)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("extra", [0, 1])
def test_body_of_the_limit_is_read_and_one_byte_more_refused(extra, serve):
    body = os.urandom(50_000 + extra)
    for answer in (reply(body), reply(gzip.compress(body), headers={"Content-Encoding": "gzip"})):
        server = serve(answer)
        if extra:
            with pytest.raises(TooLargeError):
                call(server, max_bytes=50_000)
        else:
            assert call(server, max_bytes=50_000).body == body


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not HTTP\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        OK + b"Content-Length: 10\r\n\r\nshort",
        OK + b"Content-Length: 1, 2\r\n\r\nx",
        CHUNKED + b"zz\r\nx\r\n",
        CHUNKED + b"5\r\nx",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        OK + b"X: 1\r\n" * 101 + b"\r\n",
        OK + b"Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip\r\n\r\nx",
    ],
)
def test_broken_answer_is_a_failed_connection(data, serve):
    server = serve(lambda exchange: exchange.send(data))
    with pytest.raises(ConnectionFailedError, match="not valid HTTP"):
        call(server)


def test_broken_answer_leaves_no_connection_open(serve):
    closed = threading.Event()

    def answer(exchange):
        exchange.send(OK + b"Content-Length: 1, 2\r\n\r\nx")
        if exchange.sock.recv(1) == b"":
            closed.set()

    server = serve(answer)
    with pytest.raises(ConnectionFailedError) as kept:
        call(server)
    assert closed.wait(5)
    assert kept.value.__traceback__  # it refers to the reader, so no garbage collector closed it


def test_closed_port_is_a_failed_connection(serve):
    server = serve(reply())
    server.close()
    with pytest.raises(ConnectionFailedError, match="cannot be reached"):
        call(server)


@pytest.mark.parametrize("error", [socket.gaierror(-2, "Name or service not known"), None])
def test_name_without_address_is_a_failed_connection(error):
    def missing(host, port):
        if error:
            raise error
        return []

    with pytest.raises(ConnectionFailedError, match=r"hooks\.example\.com .*check the name"):
        Client(resolve=missing).request("GET", f"http://{NAME}/")


_PIECES = [
    OK,
    CHUNKED,
    b"\r\n",
    b"Content-Length: 5\r\n",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"hello",
]


@given(strategies.lists(strategies.sampled_from(_PIECES) | strategies.binary(max_size=20)))
@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_are_an_answer_or_a_typed_error(pieces):
    with receiver(lambda exchange: exchange.send(b"".join(pieces))) as server:
        try:
            outcome = str(call(server, timeout=5).url)
        except OutboundError as error:
            outcome = str(error)
    assert NAME in outcome or "The answer has more" in outcome


def test_messages_contain_no_path_query_or_header(serve):
    silent, large, loop = (
        serve(lambda exchange: exchange.stay_silent()),
        serve(reply(bytes(1_000))),
        serve(redirect("/s3cret")),
    )
    closed = serve(reply())
    closed.close()
    client = client_for(silent, large, loop, closed)
    ports = [server.port for server in (silent, large, loop, closed)]
    urls = [f"http://{NAME}:{port}/s3cret?s3cret" for port in ports]
    for url in (*urls, "http://10.0.0.1/s3cret", "http://s3cret@a/", "http://a/s3cret\n"):
        with pytest.raises(OutboundError) as caught:
            client.request("GET", url, timeout=0.4, max_bytes=10, headers={"X-Key": "s3cret"})
        assert "s3cret" not in str(caught.value)
