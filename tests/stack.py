"""The whole system as real processes: web, worker and beat on given backends."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from leadgen.processes.roles import QUEUES, ROLES, worker_command

# A name of its own: two workers of one name on one RabbitMQ shut each other out.
_WORKER = ("--without-gossip", "--without-mingle", "--hostname={role}-{name}@%h")
COMMANDS = {
    "web": ROLES["web"].command,
    # As with `make run`, it consumes every queue; `delivery` beside it takes its share.
    "worker": worker_command(QUEUES, "--concurrency=1", *_WORKER),
    "delivery": (*ROLES["delivery"].command, *_WORKER),
    "beat": ROLES["beat"].command,
}


@dataclass
class Stack:
    """Running processes by role; ``url`` is where the web role answers."""

    url: str
    folder: Path
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, role: str) -> None:
        name = f"port{self.environment['PORT']}"
        command = [part.format(role=role, name=name) for part in COMMANDS[role]]
        with (self.folder / f"{role}.log").open("ab") as log:
            self.processes[role] = subprocess.Popen(
                [sys.executable, "-m", *command],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def send(self, role: str, signum: int) -> None:
        """Signal the role's whole process group."""
        os.killpg(self.processes[role].pid, signum)

    def wait(self, role: str) -> None:
        """Wait until a signalled role has ended; kill it when it does not."""
        process = self.processes.pop(role)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)

    def stop(self, role: str, signum: int = signal.SIGTERM) -> None:
        self.send(role, signum)
        self.wait(role)

    def log(self, role: str) -> str:
        return (self.folder / f"{role}.log").read_text(errors="replace")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(
    folder: Path, backends: dict[str, str], roles: tuple[str, ...] = ("web", "worker", "beat")
) -> Iterator[Stack]:
    """Start the roles, wait until the web role is ready, and end them all afterwards."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    ours = {"PUBLIC_URL": url, "PORT": str(port), "HOST": "127.0.0.1", "WEB_CONCURRENCY": "2"}
    stack = Stack(url, folder, {**os.environ, "DEBUG": "true", **ours, **backends})
    try:
        for role in roles:
            stack.start(role)
        if "web" in roles:
            wait_until_ready(stack)
        yield stack
    finally:
        for role in stack.processes:
            stack.send(role, signal.SIGTERM)
        for role in list(stack.processes):
            stack.wait(role)


def wait_until_ready(stack: Stack, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not _is_ready(stack.url):
        assert time.monotonic() < deadline, stack.log("web")
        assert stack.processes["web"].poll() is None, stack.log("web")
        time.sleep(0.1)


def _is_ready(url: str) -> bool:
    try:
        with urlopen(f"{url}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
