"""Endpoints for probes and monitoring."""

from collections.abc import Callable
from dataclasses import asdict
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from leadgen.lib.telemetry import multiprocess_metrics
from leadgen.operations import health
from leadgen.operations.collectors.backups import BackupCollector
from leadgen.operations.collectors.database import DatabaseCollector
from leadgen.operations.collectors.disk import DiskCollector
from leadgen.operations.collectors.ledger import LedgerCollector
from leadgen.operations.collectors.spool import SpoolCollector


def _internal(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer 404 to requests that a proxy forwarded: kubelet, KEDA and Prometheus connect directly.

    A rule by path in the proxy alone would miss other spellings, such as ``/%6detrics``.
    """

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        # Also without a value: a proxy that keeps the client's header adds none of its own.
        if {"X-Forwarded-For", "Forwarded"} & request.headers.keys():
            return HttpResponse(status=404)
        return view(request)

    return guarded


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Answer 200 without asking a backend, so that its fault restarts no process."""
    return JsonResponse({"ok": True, "version": settings.VERSION})


@never_cache
@require_safe
@_internal
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 while submissions can be stored, else 503; the body names every backend."""
    answers = health.READINESS.answers()
    ok = health.keeps_submissions(answers)
    named = {answer.name: asdict(answer) for answer in answers}
    return JsonResponse({"ok": ok, "backends": named}, status=200 if ok else 503)


@never_cache
@require_safe
@_internal
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in Prometheus' text format; with METRICS_TOKEN set only for its bearer."""
    if not multiprocess_metrics.is_authorized(
        request.headers.get("Authorization", ""), settings.METRICS_TOKEN
    ):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    text = generate_latest(multiprocess_metrics.registry()) + generate_latest(_backend_registry())
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _backend_registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(LedgerCollector())
    registry.register(DatabaseCollector())
    registry.register(DiskCollector())
    registry.register(SpoolCollector())
    registry.register(BackupCollector())
    return registry
