"""Liveness probe of a role: ``python -m leadgen.processes.heartbeat web|worker|delivery|beat``.

Workers and beat touch a file in each round of their loop, web answers over HTTP. The probe asks no
backend, because an outage of a backend must restart no process. It imports little: platforms run it
every few seconds.
"""

import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from leadgen.lib import env
from leadgen.processes.roles import PROBED, ROLES, Probe

SECONDS = 60
_RUNNING, _PAUSED = "running", "paused"
_LIVE = b"GET /health/live HTTP/1.0\r\nHost: localhost\r\n\r\n"


def touch(role: str) -> None:
    """Record a round of the role's loop; the next one is due within SECONDS."""
    _write(role, _RUNNING)


def pause(role: str) -> None:
    """Record that the role waits for its broker or ends; it counts as alive without time limit."""
    _write(role, _PAUSED)


def problem(role: str) -> str:
    """Return an empty string when the role is alive, else the reason why it is not."""
    return _http_problem() if ROLES[role].probe == Probe.HTTP else _file_problem(role)


def _write(role: str, state: str) -> None:
    # A full disk ends no process; the probe sees a file that is not renewed.
    with suppress(OSError):
        if env.is_set("HEARTBEAT_DIR"):
            _file(role).write_text(state)


def _file(role: str) -> Path:
    return Path(env.string("HEARTBEAT_DIR")) / f"leadgen-{role}.heartbeat"


def _file_problem(role: str) -> str:
    if not env.is_set("HEARTBEAT_DIR"):
        return "HEARTBEAT_DIR is not set: workers and beat write no heartbeat file"
    file = _file(role)
    try:
        is_paused, age = file.read_text() == _PAUSED, time.time() - file.stat().st_mtime
    except OSError as error:
        return f"no heartbeat of {role}: {error}"
    if is_paused or age <= SECONDS:
        return ""
    return f"the last heartbeat of {role} is {age:.0f} s old; {SECONDS} s are allowed"


def _http_problem() -> str:
    port = env.integer("PORT", 8000)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=4) as connection:
            connection.sendall(_LIVE)
            status = connection.makefile("rb").readline().decode("latin-1").strip()
    except OSError as error:
        return f"web does not answer on port {port}: {error}"
    return "" if status.split(" ")[1:2] == ["200"] else f"web answers {status!r}"


def main() -> None:
    """End with status 0 when the role of the command line is alive, else print the reason."""
    if len(sys.argv) != 2 or sys.argv[1] not in PROBED:
        sys.exit(f"usage: python -m leadgen.processes.heartbeat {'|'.join(PROBED)}")
    sys.exit(problem(sys.argv[1]) or 0)


if __name__ == "__main__":
    main()
