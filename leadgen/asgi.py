"""The one server entry: the capture edge in front, Django behind it."""

import os
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadgen.settings")  # noqa: TID251

from django.conf import settings
from django.core.asgi import get_asgi_application

import leadgen.celery  # noqa: F401 - binds the tasks to the application
from leadgen.edge.app import Edge
from leadgen.lib.postgresql import pool_connections
from leadgen.lib.telemetry import tracing
from leadgen.processes.request_limits import App, RequestLimits
from leadgen.processes.security_headers import SecurityHeaders

# Whoever imports this serves requests, and each request has a thread of its own (ADR 0004).
pool_connections(
    cast(dict[str, Any], settings.DATABASES["default"]),
    settings.DATABASE_POOL_SIZE,
    settings.DATABASE_STATEMENT_SECONDS,
)
application: App = Edge(RequestLimits(get_asgi_application()))
if tracing.are_kept():
    from leadgen.processes.request_tracing import RequestTracing

    application = RequestTracing(application)
application = SecurityHeaders(application)
