"""Free TCP ports on the loopback address."""

import socket


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def first_free(wanted: int) -> int:
    """Return the wanted port, or the next one above it that is free."""
    return next((port for port in range(wanted, 65_536) if is_free(port)), 0) or any_free()


def any_free() -> int:
    """Return a port that the system has free."""
    return several_free(1)[0]


def several_free(count: int) -> list[int]:
    """Return different free ports, all held open until the last is found."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
