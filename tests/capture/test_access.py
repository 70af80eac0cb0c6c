import asyncio
import json
import logging

import pytest

from leadgen.capture.access import AccessLog


@pytest.fixture(autouse=True)
def in_json(settings):
    settings.LOG_FORMAT = "json"


async def told(lines, *, wait=0.0):
    log = AccessLog(seconds=wait)
    for number in range(lines):
        log.tell("POST", "capture:submissions", 201, 7, f"request-{number}", f"receipt-{number}")
    await asyncio.sleep(0.01)
    return log


def test_lines_are_written_together_one_object_each(capsys):
    asyncio.run(told(3))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["receipt"] for line in lines] == ["receipt-0", "receipt-1", "receipt-2"]
    assert lines[0].pop("ts").endswith("Z")
    assert lines[0] == {
        "level": "INFO",
        "logger": "leadgen.access",
        "message": "POST capture:submissions 201",
        "route": "capture:submissions",
        "status": 201,
        "ms": 7,
        "request_id": "request-0",
        "receipt": "receipt-0",
    }


def test_what_waits_is_written_at_the_end(capsys):
    asyncio.run(told(1, wait=60)).write()
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_higher_level_keeps_lines_away(capsys):
    logging.getLogger("leadgen.access").setLevel(logging.WARNING)
    try:
        asyncio.run(told(1))
    finally:
        logging.getLogger("leadgen.access").setLevel(logging.NOTSET)
    assert capsys.readouterr().out == ""


def test_a_terminal_gets_its_own_format(settings, caplog):
    settings.LOG_FORMAT = "console"
    caplog.set_level(logging.INFO, "leadgen.access")
    asyncio.run(told(1))
    (record,) = caplog.records
    assert (record.getMessage(), record.receipt) == ("POST capture:submissions 201", "receipt-0")
