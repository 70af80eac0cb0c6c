"""Log lines: JSON for machines, short lines for a person at a terminal; no personal data."""

import logging
import re
from typing import Any

from pythonjsonlogger.json import JsonFormatter as _JsonFormatter

from leadgen.lib import tracing

# The last line of defence: nobody logs answers on purpose, but error texts can quote them.
# Tried only where a word begins: at each of its letters, a long path would cost seconds.
_EMAIL = re.compile(
    r"(?<![^\s@<>\"'(),;:=\[\]])[^\s@<>\"'(),;:=\[\]]+@[^\s@<>\"'(),;:=\[\]]+\.[^\W\d_]{2,}"
)
_PHONE = re.compile(
    r"(?<![\w.:/-])(?:\+|\(?0)\d?[\d ()./-]{5,}\d(?!\w)"
    r"|(?<![\w.:/-])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w-])"
)
_QUOTED_ROW = re.compile(r"^(DETAIL|CONTEXT|PARAMETERS):.*$", re.MULTILINE)

_PLAIN = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "request", "taskName"}


def redact(text: str) -> str:
    """Return the text with email addresses, phone numbers and quoted rows left out."""
    text = _QUOTED_ROW.sub(r"\1: [left out]", text)
    return _PHONE.sub("[phone]", _EMAIL.sub("[email]", text))


def _redact_all(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: _redact_all(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redact_all(each) for each in value]
    return value


class JsonFormatter(_JsonFormatter):
    """One object a line: ts, level, logger, message, request_id, exc_info, and what was added."""

    def __init__(self) -> None:
        super().__init__(
            ["levelname", "name", "message"],
            rename_fields={"levelname": "level", "name": "logger"},
            reserved_attrs=_PLAIN,
            timestamp="ts",
        )

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        ordered = {"ts": log_data.pop("ts"), **log_data}
        if request_id := tracing.request_id.get():
            ordered["request_id"] = request_id
        return {name: _redact_all(value) for name, value in ordered.items()}


class ConsoleFormatter(logging.Formatter):
    """``12:34:56 warning leadgen.leads: text  name=value``, and the traceback beneath."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        added = {name: value for name, value in vars(record).items() if name not in _PLAIN}
        details = "".join(f" {name}={value}" for name, value in added.items())
        return super().formatMessage(record) + (f" {details}" if details else "")

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
