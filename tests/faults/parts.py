"""What the processes under fire stand on: servers to be killed, frozen and started again."""

import os
import signal
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from dev import postgres, rabbitmq, seaweedfs, unprivileged
from dev.process import Process


@dataclass
class Server:
    """A PostgreSQL of the tests' own."""

    data: Path
    url: str = ""
    running: ExitStack = field(default_factory=ExitStack)

    def start(self):
        self.url = self.running.enter_context(postgres.server("pg", durable=True))

    def stop(self):
        self.running.close()

    def kill(self):
        self.signal(signal.SIGKILL)
        self.running.close()

    def end(self, signum):
        """Tell the postmaster to shut down: SIGINT is fast, SIGQUIT immediate."""
        unprivileged.end(self.pid, signum)
        self.running.close()

    def signal(self, signum):
        """Signal the postmaster and its children."""
        parent = self.pid
        listed = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        for pid in (parent, *map(int, listed.split())):
            unprivileged.end(pid, signum)

    @property
    def pid(self):
        """The postmaster."""
        return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])

    def query(self, statement):
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement).fetchall()


@dataclass
class Part:
    """A RabbitMQ or SeaweedFS of the tests' own, with all its processes in one group."""

    node: rabbitmq.Node | seaweedfs.Node
    running: ExitStack = field(default_factory=ExitStack)
    process: Process | None = None

    def start(self):
        self.process = self.running.enter_context(self.node.running())
        self.node.wait(self.process)

    def stop(self):
        self.running.close()

    def kill(self):
        self.signal(signal.SIGKILL)
        self.running.close()

    def signal(self, signum):
        assert self.process
        os.killpg(self.process.pid, signum)
