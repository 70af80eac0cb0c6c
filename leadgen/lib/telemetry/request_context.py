"""What ties together all log lines of one request or task, and with traces on its spans too."""

import os
import re
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
# W3C traceparent of the current span; empty unless the span is recorded (telemetry/tracing.py).
traceparent: ContextVar[str] = ContextVar("traceparent", default="")

_SAFE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def adopt(offered: str | None) -> str:
    """Return the caller's id where it is short and harmless in a log line, or a new one."""
    return offered if offered and _SAFE.fullmatch(offered) else os.urandom(16).hex()
