"""Table of the process roles of the one image: command, queues, liveness probe and metrics of each.

The only place that names them. Compose, Kubernetes and the development environment are compared
with this table by tests/deploy/test_roles.py. Imports nothing: the liveness probe reads it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

# Submissions to leads; short tasks.
INTAKE = "intake"
# Events to their consumers, measurements, clean-up.
DEFAULT = "default"
# Mail and everything else that waits for servers outside.
DELIVERY = "delivery"
# The only queue before there were three. Processes of an older release publish to it during an
# upgrade: remove it two releases after 0.1.0.
FORMER = "leadgen"
QUEUES = (INTAKE, DEFAULT, DELIVERY, FORMER)


class Probe(StrEnum):
    """Way in which a role shows that it is alive (leadgen.processes.heartbeat)."""

    HTTP = "http"
    FILE = "file"
    NONE = "none"


class Metrics(StrEnum):
    """Place where a role answers /metrics: its own HTTP port, METRICS_PORT or nowhere."""

    HTTP = "http"
    PORT = "port"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ProcessRole:
    """A role: the command of its container and what other parts need to know of it."""

    name: str
    command: tuple[str, ...]
    queues: tuple[str, ...] = ()
    probe: Probe = Probe.NONE
    metrics: Metrics = Metrics.NONE


def worker_command(queues: Iterable[str], *options: str) -> tuple[str, ...]:
    """Return the command of a Celery worker that consumes these queues."""
    return (*_CELERY, "worker", f"--queues={','.join(queues)}", *options)


_CELERY = ("celery", "--quiet", "-A", "leadgen")
_WORKER_QUEUES = (INTAKE, DEFAULT, FORMER)
_DELIVERY_QUEUES = (DELIVERY,)
_ALL = (
    ProcessRole(
        "web",
        ("gunicorn", "-c", "python:leadgen.processes.gunicorn_config", "leadgen.asgi:application"),
        probe=Probe.HTTP,
        metrics=Metrics.HTTP,
    ),
    ProcessRole(
        "worker",
        worker_command(_WORKER_QUEUES, "--concurrency=2"),
        queues=_WORKER_QUEUES,
        probe=Probe.FILE,
        metrics=Metrics.PORT,
    ),
    # Threads: a delivery waits for a server outside and uses no processor meanwhile.
    ProcessRole(
        "delivery",
        worker_command(_DELIVERY_QUEUES, "--pool=threads", "--concurrency=4"),
        queues=_DELIVERY_QUEUES,
        probe=Probe.FILE,
        metrics=Metrics.PORT,
    ),
    ProcessRole(
        "beat",
        (*_CELERY, "beat", "--pidfile="),
        probe=Probe.FILE,
        metrics=Metrics.PORT,
    ),
    ProcessRole("migrate", ("python", "manage.py", "migrate", "--no-input")),
    ProcessRole("doctor", ("python", "manage.py", "doctor")),
)
ROLES = {role.name: role for role in _ALL}
PROBED = tuple(role.name for role in _ALL if role.probe != Probe.NONE)


def name_of_worker(queues: Iterable[str]) -> str:
    """Return the role of a Celery worker by its queues; ``worker`` when it takes others' too."""
    return "delivery" if set(queues) == set(_DELIVERY_QUEUES) else "worker"
