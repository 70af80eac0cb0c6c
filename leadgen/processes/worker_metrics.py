"""HTTP server for the metrics of workers and beat on METRICS_PORT (leadgen.processes.roles)."""

import logging
from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from celery import signals
from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from leadgen.lib import env
from leadgen.lib.telemetry import multiprocess_metrics
from leadgen.processes.metrics import BEAT_SENT

logger = logging.getLogger(__name__)


class _Handler(WSGIRequestHandler):
    """Write no access lines, and wait at most ``timeout`` seconds for a client."""

    timeout = 5

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        pass


def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer GET /metrics in Prometheus' text format; METRICS_TOKEN is required once it is set."""
    if environ["PATH_INFO"] != "/metrics":
        start_response("404 Not Found", [])
        return []
    if not multiprocess_metrics.is_authorized(
        environ.get("HTTP_AUTHORIZATION", ""), settings.METRICS_TOKEN
    ):
        start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer")])
        return []
    start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
    return [generate_latest(multiprocess_metrics.registry())]


def serve(**_: object) -> None:
    """Start the server in a thread when METRICS_PORT is set; a port in use is only logged."""
    port = env.integer("METRICS_PORT", 0)
    if not port:
        return
    try:
        server = make_server(env.string("HOST", "127.0.0.1"), port, answer, handler_class=_Handler)
    except OSError as error:
        logger.error("metrics are not served on METRICS_PORT=%d: %s", port, error.strerror)
        return
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def install() -> None:
    """Serve the metrics of every worker and of beat."""
    signals.worker_init.connect(serve, weak=False)
    signals.beat_init.connect(serve, weak=False)
    signals.beat_init.connect(_count, weak=False)


def _count(**_: object) -> None:
    signals.after_task_publish.connect(_sent, weak=False)


def _sent(sender: str, **_: object) -> None:
    BEAT_SENT.labels(sender).inc()
