"""Local servers that answer outbound requests with scripted bytes."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Answer = Callable[["Exchange"], None]


class Exchange:
    """One accepted connection whose request was read."""

    def __init__(self, sock: socket.socket, receiver: "Receiver") -> None:
        self.sock, self.receiver = sock, receiver
        self.request = b""

    def read_request(self) -> None:
        while b"\r\n\r\n" not in self.request and (data := self.sock.recv(65_536)):
            self.request += data
        head, _, body = self.request.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-le")]
        missing = (int(lengths[0].split(b":")[1]) if lengths else 0) - len(body)
        while missing > 0 and (data := self.sock.recv(65_536)):
            self.request += data
            missing -= len(data)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes) -> None:
        """Send one byte each 20 ms until the client or the test ends."""
        while True:
            for place in range(len(data)):
                if self.receiver.stopped.wait(0.02):
                    return
                self.send(data[place : place + 1])

    def flood(self, data: bytes) -> None:
        """Send the data again and again until the client closes."""
        while not self.receiver.stopped.is_set():
            self.send(data * 100)

    def stay_silent(self) -> None:
        self.receiver.stopped.wait(10)


@dataclass
class Receiver:
    """A listening server: what it heard, and where it listens."""

    listener: socket.socket
    answer: Answer
    tls: ssl.SSLContext | None = None
    reads: bool = True
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port = int(self.listener.getsockname()[1])

    def serve(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._exchange, args=(sock,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _exchange(self, sock: socket.socket) -> None:
        sock.settimeout(10)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(sock.close)
            if self.tls:
                sock = stack.enter_context(self.tls.wrap_socket(sock, server_side=True))
            exchange = Exchange(sock, self)
            if self.reads:
                exchange.read_request()
            self.requests.append(exchange.request)
            self.answer(exchange)

    def close(self) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(10)


@contextlib.contextmanager
def receiver(
    answer: Answer,
    listener: socket.socket | None = None,
    tls: ssl.SSLContext | None = None,
    reads: bool = True,
) -> Iterator[Receiver]:
    """Serve until the end of the block; without a listener on a free port of 127.0.0.1."""
    server = Receiver(listener or socket.create_server(("127.0.0.1", 0)), answer, tls, reads)
    accepting = threading.Thread(target=server.serve, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        server.close()
        accepting.join(10)


def on_every_address() -> socket.socket:
    """Listen on one free port of every address of this machine, IPv6 where there is any."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", 0))


def reply(
    body: bytes = b"ok", status: str = "200 OK", headers: dict[str, str] | None = None
) -> Answer:
    """Answer with a status, headers and a body of known length."""
    lines = {"Content-Length": str(len(body))} | (headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return lambda exchange: exchange.send(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)


def plain(exchange: Exchange) -> None:
    """Answer a TLS greeting with plain HTTP."""
    exchange.sock.recv(65_536)
    reply()(exchange)


def redirect(location: str, status: int = 302) -> Answer:
    return reply(b"", f"{status} Moved", {"Location": location})
