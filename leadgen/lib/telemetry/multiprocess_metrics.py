"""Multiprocess mode of prometheus_client: one process of a role reports the counts of all."""

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
    """Keep the counters of worker and beat in files when METRICS_PORT is set.

    Call it before the first counter is created.

    The web process gets its folder from gunicorn (leadgen.processes.gunicorn_config); every
    other process keeps its counters in memory.
    """
    if not ({"worker", "beat"} & set(sys.argv) and env.integer("METRICS_PORT", 0)):
        return
    if folder := env.string(_FOLDER):
        Path(folder).mkdir(parents=True, exist_ok=True)
    else:
        os.environ[_FOLDER] = _own_folder()  # noqa: TID251
    values.ValueClass = values.MultiProcessValue(_slot)  # type: ignore[no-untyped-call]


def registry() -> CollectorRegistry:
    """Return the counts of all processes of this role, or of this one without a shared folder."""
    if not env.is_set(_FOLDER):
        return REGISTRY
    registry_of_all = CollectorRegistry()
    MultiProcessCollector(registry_of_all)  # type: ignore[no-untyped-call]
    return registry_of_all


def is_authorized(authorization: str, token: str) -> bool:
    """Tell whether this header permits reading the metrics; without a token any does."""
    return not token or hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode())


def _slot() -> str:
    """Return the slot in the pool: a replaced child continues the file of its predecessor.

    A file for each process id would add up to gigabytes, because children are replaced often.
    """
    slot = getattr(current_process(), "index", None)
    return "parent" if slot is None else f"child{slot}"


def _own_folder() -> str:
    folder = tempfile.mkdtemp(prefix="leadgen-metrics-")
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
