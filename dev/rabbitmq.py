"""A private RabbitMQ for the tests: Debian's package, or Docker."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import amqp

from dev import debian, ports
from dev.process import Process, Service, running, wait_until
from dev.state import VAR

# Not /usr/sbin/rabbitmq-server: that wrapper wants to become the system's rabbitmq user.
_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_IMAGE = "rabbitmq:4.2.6-alpine"


def ensure() -> None:
    """Make sure that RabbitMQ can start here; raise RuntimeError that says what to install."""
    if _SERVER.exists() or _docker_answers():
        return
    if not debian.can_install():
        raise RuntimeError(
            "The tests need RabbitMQ and found neither Debian's package nor a running Docker.\n"
            "Install it once: sudo apt-get install rabbitmq-server (or start Docker)."
        )
    debian.install(["rabbitmq-server"])


@dataclass(frozen=True)
class Node:
    """An installed RabbitMQ with data and ports of its own, which stay when it is started again."""

    folder: Path
    port: int
    password: str
    env: dict[str, str]

    @property
    def url(self) -> str:
        return _url(self.port, self.password)

    @contextmanager
    def running(self) -> Iterator[Process]:
        """Run it for as long as the context lasts."""
        with running("rabbitmq", [_SERVER], self.env) as process:
            yield process

    def wait(self, process: Process) -> None:
        """Return when it answers; raise RuntimeError when it does not."""
        wait_until(lambda: _answers(self.port, self.password), "RabbitMQ", process, 180)

    def control(self, *arguments: str) -> str:
        """Run rabbitmqctl and return what it printed."""
        return subprocess.run(
            [str(_SERVER.with_name("rabbitmqctl")), *arguments],
            env=self.env,
            capture_output=True,
            text=True,
            check=True,
        ).stdout


def is_installed() -> bool:
    """Tell whether RabbitMQ runs here as a process of ours rather than in Docker."""
    return _SERVER.exists()


@contextmanager
def server() -> Iterator[Service]:
    """Start a broker with fresh data, found by TEST_RABBITMQ_URL; stop it on leaving."""
    if not _SERVER.exists():
        port, password = ports.any_free(), secrets.token_hex(12)
        with _in_docker(port, password) as process:
            yield _service(port, password, process)
        return
    with node("test-rabbitmq") as broker, broker.running() as process:
        yield _service(broker.port, broker.password, process)


@contextmanager
def node(name: str) -> Iterator[Node]:
    """Yield a node with fresh data, not yet started, for as long as its port mapper runs."""
    port, distribution, mapper = ports.several_free(3)
    password = secrets.token_hex(12)
    folder = _folder(name, port, password)
    env = _settings(folder, distribution, mapper)
    # Its own port mapper, in the foreground: the one that Erlang starts itself would stay behind.
    with running("epmd", ["epmd", "-port", str(mapper), "-address", "127.0.0.1"], env):
        wait_until(lambda: not ports.is_free(mapper), "epmd")
        yield Node(folder, port, password, env)


def _service(port: int, password: str, process: Process) -> Service:
    return Service(
        {"TEST_RABBITMQ_URL": _url(port, password)},
        lambda: wait_until(lambda: _answers(port, password), "RabbitMQ", process, 180),
    )


def _url(port: int, password: str) -> str:
    return f"amqp://leadgen:{password}@127.0.0.1:{port}//"


def _folder(name: str, port: int, password: str) -> Path:
    folder = VAR / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "plugins").write_text("[].\n")
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.default = 127.0.0.1:{port}\n"
        f"default_user = leadgen\ndefault_pass = {password}\n"
        "disk_free_limit.absolute = 50MB\n"
        "log.console = true\nlog.console.level = warning\nlog.file = false\n"
    )
    return folder


def _settings(folder: Path, distribution: int, mapper: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_CRASH_DUMP": str(folder / "erl_crash.dump"),
        "RABBITMQ_NODENAME": f"leadgen{mapper}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "none.config"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none.env"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none",
    }


@contextmanager
def _in_docker(port: int, password: str) -> Iterator[Process]:
    name = f"leadgen-rabbitmq-{port}"
    command = ["docker", "run", "--rm", "--name", name, "-p", f"127.0.0.1:{port}:5672"]
    credentials = ["-e", "RABBITMQ_DEFAULT_USER=leadgen", "-e", f"RABBITMQ_DEFAULT_PASS={password}"]
    try:
        with running("rabbitmq", [*command, *credentials, _IMAGE], os.environ) as process:
            yield process
    finally:
        subprocess.run(["docker", "rm", "-f", name], capture_output=True, check=False)


def _docker_answers() -> bool:
    if not shutil.which("docker"):
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def _answers(port: int, password: str) -> bool:
    host = f"127.0.0.1:{port}"
    try:
        with amqp.Connection(host, userid="leadgen", password=password, connect_timeout=2):
            return True
    except (OSError, amqp.AMQPError):
        return False
