"""Free TCP ports on the loopback address."""

import secrets
import socket
from contextlib import ExitStack, suppress

# Below Linux's default range for outgoing connections (net.ipv4.ip_local_port_range starts at
# 32768): a client of another program cannot take such a port before the server listens on it.
_SERVERS = range(10_240, 32_768)


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def first_free(preferred: int) -> int:
    """Return the preferred port, or the next one above it that is free."""
    return next((port for port in range(preferred, 65_536) if is_free(port)), 0) or any_free()


def any_free() -> int:
    """Return a port that the system has free."""
    return several_free(1)[0]


def several_free(count: int) -> list[int]:
    """Return different free ports; all are bound until the last is found."""
    with ExitStack() as bound:
        return [_bind_any(bound) for _ in range(count)]


def _bind_any(bound: ExitStack) -> int:
    """Bind a free port until the stack closes, and return it."""
    while True:
        port = secrets.choice(_SERVERS)
        probe = bound.enter_context(socket.socket())
        with suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
