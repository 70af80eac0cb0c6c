"""Request id and traceparent of the current request or task, for log lines and spans."""

import os
import re
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
# W3C traceparent of the current span; empty unless the span is recorded (telemetry/tracing.py).
traceparent: ContextVar[str] = ContextVar("traceparent", default="")

_SAFE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def adopt(requested: str | None) -> str:
    """Return the caller's request id where it is short and safe in a log line, or a new one."""
    return requested if requested and _SAFE.fullmatch(requested) else os.urandom(16).hex()
