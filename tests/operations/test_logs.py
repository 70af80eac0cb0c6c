import json
import logging
import sys
import time

import pytest

from leadgen.lib.telemetry import request_context
from leadgen.operations.logs import ConsoleFormatter, JsonFormatter, Refused, redact


def record(message="hello", *args, exc_info=None, **extra):
    return logging.getLogger("leadgen.test").makeRecord(
        "leadgen.test", logging.WARNING, __file__, 1, message, args, exc_info, extra=extra
    )


def as_json(*args, **extra):
    return json.loads(JsonFormatter().format(record(*args, **extra)))


def caught(text):
    try:
        raise ValueError(text)
    except ValueError:
        return sys.exc_info()


def test_json_line_has_standard_and_extra_fields():
    line = as_json("%s parked", "it", attempts=5)
    assert (line["level"], line["logger"], line["message"]) == (
        "WARNING",
        "leadgen.test",
        "it parked",
    )
    assert line["attempts"] == 5
    assert line["ts"].endswith("+00:00")


def test_json_line_has_the_request_id():
    token = request_context.request_id.set("abc-1")
    try:
        assert as_json()["request_id"] == "abc-1"
    finally:
        request_context.request_id.reset(token)
    assert "request_id" not in as_json()


def test_json_line_has_the_unredacted_trace_id():
    token = request_context.traceparent.set(f"00-{'1' * 32}-{'0' * 16}-01")
    try:
        line = as_json()
        assert (line["trace_id"], line["span_id"]) == ("1" * 32, "0" * 16)
    finally:
        request_context.traceparent.reset(token)
    assert "trace_id" not in as_json()


def test_json_line_has_no_line_break():
    assert "\n" not in JsonFormatter().format(record("two\nlines", exc_info=caught("three\nmore")))


def test_console_line_shows_extra_fields():
    line = ConsoleFormatter().format(record("parked", attempts=5))
    assert line[8:] == " WARNING leadgen.test: parked  attempts=5"


@pytest.mark.parametrize(
    "personal",
    [
        "ada@example.com",
        "Ada.L+spam@mail.example.co.uk",
        "jörg@bücher.example",
        "+49 30 901820",
        "+14155550123",
        "030 / 90 18 20",
        "(415) 555-0132",
        "415-555-0132",
    ],
)
def test_email_addresses_and_phone_numbers_are_removed(personal):
    assert personal not in redact(f"cannot reach {personal}, giving up")
    assert personal not in JsonFormatter().format(record("no", to={"of": [personal]}))
    assert personal not in ConsoleFormatter().format(record("no", exc_info=caught(personal)))


@pytest.mark.parametrize("path", ["/login/reset/{}", "/login/reset/{}.", "//login/reset//{}/"])
def test_key_of_a_password_reset_is_removed(path):
    key = "4-dir2vh-5484cac1975d02c9ab92abe24b1a8e97"
    line = record(f"GET {path.format(key)} 404", path=path.format(key))
    assert "dir2vh" not in JsonFormatter().format(line)
    assert "dir2vh" not in ConsoleFormatter().format(line)
    assert "/login/reset/" in JsonFormatter().format(line)


@pytest.mark.parametrize(
    "harmless",
    [
        "2026-11-23T13:19:05.810750+00:00",
        "127.0.0.1:55432",
        "018bcfe5-7b88-7e4d-83b7-fbbce2345d77",
        "event 10481234567 after 0.013 s",
        "GET /admin/leads/lead/20481/change/ 200",
        "gunicorn 27.0.1",
        "GET /login/reset 200",
    ],
)
def test_times_ids_and_hosts_are_not_removed(harmless):
    assert redact(harmless) == harmless


@pytest.mark.parametrize("word", ["a", "a.", "+1", "(0 ", "a@", "b@b.", "1 1"])
def test_redaction_time_is_linear_in_the_length(word):
    started = time.process_time()
    redact(word * 50_000)
    assert time.process_time() - started < 2


def test_rows_quoted_by_postgresql_are_removed():
    text = "null value\nDETAIL:  Failing row contains (7, Ada Lovelace, London).\nat line 3"
    assert redact(text) == "null value\nDETAIL: [left out]\nat line 3"


def test_json_line_is_shorter_than_the_container_limit():
    path, text = "/" + "\x01" * 8_000, "a" * 60_000
    assert len(JsonFormatter().format(record("GET %s 404", path, exc_info=caught(text)))) < 16_384


def test_a_long_message_keeps_its_beginning_and_its_end():
    told = as_json("GET %s 404", "/" + "a" * 8_000)["message"]
    assert told.startswith("GET /aaa")
    assert told.endswith("aaa 404")


def test_a_refused_request_is_a_warning_without_traceback():
    told = logging.getLogger("django.security.DisallowedHost").makeRecord(
        "django.security.DisallowedHost", logging.ERROR, __file__, 1, "no", (), caught("no")
    )
    assert Refused().filter(told)
    line = json.loads(JsonFormatter().format(told))
    assert line["level"] == "WARNING"
    assert "exc_info" not in line
