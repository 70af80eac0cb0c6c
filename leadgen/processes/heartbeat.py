"""Liveness probe of a role: ``python -m leadgen.processes.heartbeat web|worker|beat``.

Worker and beat leave a file each time they come round, web answers over HTTP. No backend is asked:
a fault of theirs must restart nobody. Nothing heavy is imported: probes run all the time.
"""

import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from leadgen.lib import env

SECONDS = 60
_BEATING, _RESTING = "beating", "resting"
_LIVE = b"GET /health/live HTTP/1.0\r\nHost: localhost\r\n\r\n"


def touch(role: str) -> None:
    """Note that the role has come round; it has to again within SECONDS."""
    _leave(role, _BEATING)


def pause(role: str) -> None:
    """Note that the role waits for its broker or ends: it is alive however long that takes."""
    _leave(role, _RESTING)


def problem(role: str) -> str:
    """Return nothing when the role is alive, else what is wrong with it."""
    return _silence() if role == "web" else _standstill(role)


def _leave(role: str, state: str) -> None:
    # Nobody ends for want of room on a disk; the probe sees a sign that is not renewed.
    with suppress(OSError):
        if env.is_set("HEARTBEAT_DIR"):
            _file(role).write_text(state)


def _file(role: str) -> Path:
    return Path(env.string("HEARTBEAT_DIR")) / f"leadgen-{role}.heartbeat"


def _standstill(role: str) -> str:
    if not env.is_set("HEARTBEAT_DIR"):
        return "HEARTBEAT_DIR is not set: worker and beat leave no sign of life"
    file = _file(role)
    try:
        resting, age = file.read_text() == _RESTING, time.time() - file.stat().st_mtime
    except OSError as error:
        return f"{role} has left no sign of life: {error}"
    if resting or age <= SECONDS:
        return ""
    return f"{role} last came round {age:.0f} s ago; {SECONDS} s are allowed"


def _silence() -> str:
    port = env.integer("PORT", 8000)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=4) as connection:
            connection.sendall(_LIVE)
            status = connection.makefile("rb").readline().decode("latin-1").strip()
    except OSError as error:
        return f"web does not answer on port {port}: {error}"
    return "" if status.split(" ")[1:2] == ["200"] else f"web answers {status!r}"


def main() -> None:
    """End with status 0 when the role of the command line is alive, else say why not."""
    if sys.argv[1:] not in (["web"], ["worker"], ["beat"]):
        sys.exit("usage: python -m leadgen.processes.heartbeat web|worker|beat")
    sys.exit(problem(sys.argv[1]) or 0)


if __name__ == "__main__":
    main()
