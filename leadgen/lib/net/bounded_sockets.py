"""Sockets with a total time limit and a limit of received bytes.

A socket's own timeout starts again with each byte: a server that sends one byte a second holds the
reader for ever. Here each call gets what is left of the whole exchange's time. The limit of bytes
bounds what no parser bounds, such as 1xx answers, chunk extensions and trailers without end.
"""

import functools
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Any

from leadgen.lib.net.http_errors import TooLargeError

# What one address may take to accept: Linux repeats a lost SYN after 1 and 3 seconds.
CONNECT_SECONDS = 5.0


class Budget:
    """The time and the bytes that one exchange may still use."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.allow(0, "")

    def allow(self, limit: int, part: str) -> None:
        """Allow ``limit`` bytes from now on, called ``part`` in the error's message."""
        self._left, self._limit, self._part = limit, limit, part

    def seconds(self) -> float:
        """Return the seconds left; raise TimeoutError when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time limit has passed")
        return left

    def spend(self, count: int) -> None:
        """Subtract received bytes; raise TooLargeError when the limit is passed."""
        self._left -= count
        if self._left < 0:
            raise TooLargeError(f"The answer has more than {self._limit:,} bytes of {self._part}.")


class PlainSocket(socket.socket):
    """A TCP socket that keeps to a budget."""

    budget: Budget

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Receive within the budget."""
        self.settimeout(self.budget.seconds())
        count = super().recv_into(*args, **options)
        self.budget.spend(count)
        return count

    def sendall(self, *args: Any, **options: Any) -> None:
        """Send within the budget: CPython counts the timeout for the whole of sendall."""
        self.settimeout(self.budget.seconds())
        super().sendall(*args, **options)


class TlsSocket(ssl.SSLSocket):
    """A TLS socket that keeps to a budget, which is set once the handshake is over.

    The handshake has the timeout of the plain socket, which CPython counts for the whole of it.
    """

    budget: Budget

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Receive within the budget."""
        self.settimeout(self.budget.seconds())
        count = super().recv_into(*args, **options)
        self.budget.spend(count)
        return count

    def send(self, *args: Any, **options: Any) -> int:
        """Send within the budget; ssl's sendall calls this for each part."""
        self.settimeout(self.budget.seconds())
        return super().send(*args, **options)


def connect(addresses: Sequence[str], port: int, budget: Budget) -> PlainSocket:
    """Connect to the first address that accepts; raise the last address's OSError if none does."""
    for address in addresses[:-1]:
        try:
            return _connect(address, port, budget)
        except OSError:
            budget.seconds()
    return _connect(addresses[-1], port, budget)


def _connect(address: str, port: int, budget: Budget) -> PlainSocket:
    sock = PlainSocket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    sock.budget = budget
    try:
        sock.settimeout(min(budget.seconds(), CONNECT_SECONDS))
        sock.connect((address, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(budget.seconds())
    except BaseException:
        sock.close()
        raise
    return sock


def tls_context(ca_file: str | None = None) -> ssl.SSLContext:
    """Make a verifying TLS context of the system's authorities, or of those in one file.

    OpenSSL reads SSL_CERT_FILE and SSL_CERT_DIR for the place of the system's authorities.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.sslsocket_class = TlsSocket
    return context


@functools.cache
def default_tls_context() -> ssl.SSLContext:
    """Return the process's TLS context: loading about 140 authorities takes milliseconds."""
    return tls_context()
