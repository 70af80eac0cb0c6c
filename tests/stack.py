"""The process harness: web, worker, delivery and beat as real processes on given backends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings

from dev import ports
from dev.process import Process, wait_until
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
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def address(self) -> tuple[str, int]:
        """The host and port of the web role."""
        return "127.0.0.1", int(self.environment["PORT"])

    def start(self, role: str) -> None:
        name = f"port{self.environment['PORT']}"
        command = [part.format(role=role, name=name) for part in COMMANDS[role]]
        self.processes[role] = Process(
            role, [sys.executable, "-m", *command], env=self.environment, output=self._log(role)
        )

    def send(self, role: str, signum: int) -> None:
        """Signal the role's whole process group."""
        self.processes[role].signal_group(signum)

    def wait(self, role: str) -> None:
        """Wait until a signalled role has ended; kill it when it does not."""
        process = self.processes.pop(role)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.signal_group(signal.SIGKILL)
            process.wait(20)

    def stop(self, role: str, signum: int = signal.SIGTERM) -> None:
        self.send(role, signum)
        self.wait(role)

    def end(self, role: str, seconds: float) -> float:
        """SIGTERM the role's first process alone, as platforms do.

        Return the seconds until it has ended with status 0; fail after ``seconds``.
        """
        process, started = self.processes.pop(role), time.monotonic()
        process.ask_to_stop()
        assert process.wait(seconds) == 0
        return time.monotonic() - started

    def children(self, role: str) -> list[int]:
        """Return the process ids right below the role's first process."""
        return children(self.processes[role].pid)

    def kill_child(self, role: str) -> None:
        """SIGKILL one of the role's own processes; its parent stays alive."""
        os.kill(self.children(role)[0], signal.SIGKILL)

    def memory(self, role: str) -> float:
        """Return the resident memory of the role's processes in MB."""
        parent = self.processes[role].pid
        return sum(_resident(pid) for pid in (parent, *children(parent))) / 1024

    def log(self, role: str) -> str:
        return self._log(role).read_text(errors="replace")

    def _log(self, role: str) -> Path:
        return self.folder / f"{role}.log"


def database_url() -> str:
    """Return the URL of the test database of this process."""
    database = settings.DATABASES["default"]
    password = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
    address = f"{database['USER']}{password}@{database['HOST']}:{database['PORT'] or 5432}"
    return f"postgresql://{address}/{database['NAME']}"


def embedded(folder: Path, url: str = "") -> dict[str, str]:
    """Return backends on files of the folder, beside the database at ``url`` or the test's own."""
    (folder / "broker").mkdir()
    return {
        "DATABASE_URL": url or database_url(),
        "BROKER_URL": f"filesystem://{folder}/broker",
        "STORAGE_URL": f"file://{folder}/storage",
    }


@contextmanager
def running(
    folder: Path, backends: Mapping[str, str], roles: tuple[str, ...] = ("web", "worker", "beat")
) -> Iterator[Stack]:
    """Start the roles, wait until the web role is ready, and end them all afterwards."""
    port = ports.any_free()
    url = f"http://127.0.0.1:{port}"
    ours = {"PUBLIC_URL": url, "PORT": str(port), "HOST": "127.0.0.1", "WEB_CONCURRENCY": "2"}
    # pytest sets this one, a platform does not.
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    stack = Stack(url, folder, {**inherited, "DEBUG": "true", **ours, **backends})
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
    """Wait for the web role; raise RuntimeError after so many seconds or when it ends before."""
    try:
        wait_until(lambda: _is_ready(stack.url), "web", stack.processes["web"], seconds)
    except RuntimeError as error:
        raise RuntimeError(stack.log("web")) from error


def children(pid: int) -> list[int]:
    """Return the direct children of a process that lives."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(child) for child in listed.split()]


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def _is_ready(url: str) -> bool:
    try:
        with urlopen(f"{url}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
