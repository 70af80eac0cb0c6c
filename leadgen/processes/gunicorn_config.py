"""gunicorn configuration.

``gunicorn -c python:leadgen.processes.gunicorn_config leadgen.asgi:application``
"""

import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from leadgen.lib import env
from leadgen.settings import LOGGING

# The worker reads Django's settings before it imports leadgen.asgi, which sets this as well.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadgen.settings")  # noqa: TID251

bind = f"{env.string('HOST', '127.0.0.1')}:{env.integer('PORT', 8000)}"
workers = env.integer("WEB_CONCURRENCY", 2)
worker_class = "leadgen.processes.gunicorn_worker.TimeoutWorker"
asgi_loop = "uvloop"
# The parser in C saves 6 % and comes without wheels for Python 3.13 (ADR 0021).
http_parser = "python"
worker_connections = 1000
backlog = 1024

# A worker whose event loop is blocked for this many seconds is replaced.
timeout = 60
# Seconds for requests in flight; below the grace period of the platform (30 s on Kubernetes).
graceful_timeout = 25
# Must exceed the idle time-out of a proxy, which would reuse a connection that is being closed.
keepalive = env.integer("KEEPALIVE_SECONDS", 5)

# Campaign links carry long query strings; the edge itself bounds the body.
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190

# A thread of a Django page keeps Python's global lock for so long while the event loop waits for it
# (Python's default is 5 ms). With 32 log-ins at once the p95 of visitors' posts fell from 87 to
# 44 ms, and with silent connections and large bodies on top from 353 to 158 ms.
SWITCH_SECONDS = 0.0005

# The heartbeat is a file: on a disk it can block for seconds in a container.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
control_socket_disable = True


class ErrorsOnly(Logger):  # type: ignore[misc]  # gunicorn has no types
    """RequestLogMiddleware and the edge write the access lines; gunicorn would prepare its own."""

    access_log_enabled = False


logger_class = ErrorsOnly
logconfig_dict = {
    **LOGGING,
    "loggers": {
        "gunicorn.error": {"handlers": ["stdout"], "level": "INFO", "propagate": False},
        "gunicorn.access": {"handlers": [], "propagate": False},
    },
}

_own_folder: list[str] = []


def on_starting(server: Any) -> None:
    """Create the folder of multiprocess metrics, unless PROMETHEUS_MULTIPROC_DIR names one."""
    if folder := env.string("PROMETHEUS_MULTIPROC_DIR"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        return
    _own_folder.append(tempfile.mkdtemp(prefix="leadgen-metrics-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _own_folder[0]  # noqa: TID251


def post_worker_init(worker: Any) -> None:
    """Exclude the loaded modules from garbage collection: a full collection took 50 ms.

    Requests leave few reference cycles, so the thresholds are higher than Python's.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    sys.setswitchinterval(SWITCH_SECONDS)


def child_exit(server: Any, worker: Any) -> None:
    """Remove the live gauges of a worker that has ended; its counters stay in the sums."""
    from prometheus_client.multiprocess import mark_process_dead  # reads the folder when imported

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """Remove the folder that on_starting has created."""
    for folder in _own_folder:
        shutil.rmtree(folder, ignore_errors=True)
