"""Where the processes of a role count, so that one of them can tell what all have counted."""

import atexit
import hmac
import os
import shutil
import sys
import tempfile
from pathlib import Path

from billiard.process import current_process
from prometheus_client import REGISTRY, CollectorRegistry, values
from prometheus_client.multiprocess import MultiProcessCollector

from leadgen.lib import env

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def enable_multiprocess() -> None:
    """Let worker and beat count in files when METRICS_PORT is set; before any counter is made.

    The web process gets its folder from gunicorn (leadgen.processes.gunicorn_config); every
    other process counts for itself.
    """
    if not ({"worker", "beat"} & set(sys.argv) and env.integer("METRICS_PORT", 0)):
        return
    if folder := env.string(_FOLDER):
        Path(folder).mkdir(parents=True, exist_ok=True)
    else:
        os.environ[_FOLDER] = _own_folder()  # noqa: TID251
    values.ValueClass = values.MultiProcessValue(_place)  # type: ignore[no-untyped-call]


def registry() -> CollectorRegistry:
    """What all processes of this role have counted, or this one where no folder is shared."""
    if not env.is_set(_FOLDER):
        return REGISTRY
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return together


def is_authorized(authorization: str, token: str) -> bool:
    """Tell whether this header opens the metrics; without a token everybody may read them."""
    return not token or hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode())


def _place() -> str:
    """The place in the pool: who follows there goes on in the same file, from the same sums.

    A file for each process id would add up to gigabytes, for children are replaced all the time.
    """
    place = getattr(current_process(), "index", None)
    return "parent" if place is None else f"child{place}"


def _own_folder() -> str:
    folder = tempfile.mkdtemp(prefix="leadgen-metrics-")
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
