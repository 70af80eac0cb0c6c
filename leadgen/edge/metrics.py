"""Series of the edge's routes that exist before their first request."""

from itertools import product

from leadgen.lib.telemetry.metrics import REQUESTS, pre_register

_ROUTES = ("capture:form", "capture:submissions")

pre_register(REQUESTS, *product(_ROUTES, ("POST",), ("500", "503")))
