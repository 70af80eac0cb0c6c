"""Log formatters: JSON, or short lines for a terminal; both remove personal data."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from leadgen.lib.telemetry import request_context

# Answers are never logged on purpose, but error texts can quote them. The patterns match from the
# start of a word only: tried at each letter, a long path would take seconds.
_EMAIL = re.compile(
    r"(?<![^\s@<>\"'(),;:=\[\]])[^\s@<>\"'(),;:=\[\]]+@[^\s@<>\"'(),;:=\[\]]+\.[^\W\d_]{2,}"
)
_PHONE = re.compile(
    r"(?<![\w.:/-])(?:\+|\(?0)\d?[\d ()./-]{5,}\d(?!\w)"
    r"|(?<![\w.:/-])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w-])"
)
# Quick test that most lines fail: without a match none of the three patterns can match.
_SUSPECT = re.compile(r"@|\d[\d ()./-]{5}|^(?:DETAIL|CONTEXT|PARAMETERS):", re.MULTILINE)
_QUOTED_ROW = re.compile(r"^(DETAIL|CONTEXT|PARAMETERS):.*$", re.MULTILINE)

# The address of a password reset is a password for an hour, also with a full stop of a mail behind.
_RESET = re.compile(r"(/login/reset/+)[^\s/?#]+")

# containerd and Docker cut a line after 16 KiB, and half a line is no JSON. A stranger chooses a
# path or a Host of 8 KB, of which JSON makes up to six times as much.
_MAX_TEXT = 1_000
_MAX_TRACEBACK = 8_000

_PLAIN = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "request", "taskName"}


_to_json = json.JSONEncoder(default=lambda value: redact(str(value))).encode


def without_reset_key(text: str) -> str:
    """Return the text without the secret part of addresses of password resets."""
    return _RESET.sub(r"\1[key]", text) if "/login/reset/" in text else text


def redact(text: str) -> str:
    """Return the text without email addresses, phone numbers, quoted rows and keys of resets."""
    text = without_reset_key(text)
    if not _SUSPECT.search(text):
        return text
    text = _QUOTED_ROW.sub(r"\1: [left out]", text)
    return _PHONE.sub("[phone]", _EMAIL.sub("[email]", text))


def clip(text: str, limit: int) -> str:
    """Return a text of at most about ``limit`` characters: its beginning and its end."""
    half = limit // 2
    left_out = len(text) - limit
    return f"{text[:half]}[{left_out} left out]{text[-half:]}" if left_out > 0 else text


def _redact_all(value: Any) -> Any:
    if isinstance(value, str):
        return clip(redact(value), _MAX_TEXT)
    if isinstance(value, dict):
        return {name: _redact_all(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redact_all(each) for each in value]
    return value


class Unanswered(logging.Filter):
    """Drops Django's error and traceback of a 503: error_page.py and the access line report it."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", None) != 503


class Refused(logging.Filter):
    """Makes a warning of what Django refuses in a request, and drops the traceback.

    A wrong Host, too many fields or a forged path is the sender's fault. Django writes 8 KB at
    ERROR for each. Its loggers are named after the exception, so this stands at the handler.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = record.exc_text = None
        return True


class JsonFormatter(logging.Formatter):
    """One object a line: ts, level, logger, message, exc_info, request_id and extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {"message": record.getMessage(), **_added(record)}
        if request_id := request_context.request_id.get():
            fields["request_id"] = request_id
        at = datetime.fromtimestamp(record.created, UTC).isoformat()
        origin = {"ts": at, "level": record.levelname, "logger": record.name}
        line = {**origin, **_traced(), **_redact_all(fields)}
        if record.exc_info:
            line["exc_info"] = clip(redact(self.formatException(record.exc_info)), _MAX_TRACEBACK)
        return _to_json(line)


def _traced() -> dict[str, str]:
    """Return trace and span id under OpenTelemetry's names, which Loki, Tempo and Datadog read."""
    parent = request_context.traceparent.get()
    return dict(zip(("trace_id", "span_id"), parent.split("-")[1:3], strict=True)) if parent else {}


class ConsoleFormatter(logging.Formatter):
    """``12:34:56 warning leadgen.leads: text  name=value``, and the traceback beneath."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        details = "".join(f" {name}={value}" for name, value in _added(record).items())
        return super().formatMessage(record) + (f" {details}" if details else "")

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def _added(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _PLAIN}
