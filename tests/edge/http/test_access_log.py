import asyncio
import json
import logging
import os
from contextlib import suppress
from types import SimpleNamespace

import pytest

from leadgen.edge.http.access_log import AccessLog


@pytest.fixture(autouse=True)
def in_json(settings):
    settings.LOG_FORMAT = "json"


@pytest.fixture
def pipe(monkeypatch):
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b" " * 4096)
    with open(writer, "w") as stdout, open(reader, "rb", buffering=0) as other_end:
        monkeypatch.setattr("leadgen.edge.http.access_log.sys", SimpleNamespace(stdout=stdout))
        yield other_end


async def record_lines(lines, *, wait=0.0):
    log = AccessLog(seconds=wait)
    for number in range(lines):
        log.record("POST", "capture:submissions", 201, 7, f"request-{number}", f"receipt-{number}")
    await asyncio.sleep(0.01)
    return log


def test_lines_are_written_together_one_object_each(capfd):
    asyncio.run(record_lines(3))
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
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


def test_buffered_lines_are_written_on_close(capfd):
    asyncio.run(record_lines(1, wait=60)).write()
    assert len(capfd.readouterr().out.splitlines()) == 1


def test_lines_wait_for_a_blocked_reader(pipe):
    log = asyncio.run(record_lines(25))
    assert b"receipt" not in pipe.read(1 << 20)
    log.write()
    lines = [json.loads(line) for line in pipe.read(1 << 20).splitlines()]
    assert [line["receipt"] for line in lines] == [f"receipt-{number}" for number in range(25)]


def test_lines_that_wait_for_a_reader_are_bounded(pipe, monkeypatch):
    monkeypatch.setattr("leadgen.edge.http.access_log.MAX_WAITING", 20)
    log = asyncio.run(record_lines(25))
    pipe.read(1 << 20)
    log.write()
    assert b'"receipt":"receipt-5"' in pipe.read(1 << 20).splitlines()[0]


def test_closed_log_reader_stops_no_request(pipe):
    pipe.close()
    log = asyncio.run(record_lines(1))
    assert log.write() is None


def test_higher_log_level_drops_access_lines(capfd):
    logging.getLogger("leadgen.access").setLevel(logging.WARNING)
    try:
        asyncio.run(record_lines(1))
    finally:
        logging.getLogger("leadgen.access").setLevel(logging.NOTSET)
    assert capfd.readouterr().out == ""


def test_a_terminal_gets_its_own_format(settings, caplog):
    settings.LOG_FORMAT = "console"
    caplog.set_level(logging.INFO, "leadgen.access")
    asyncio.run(record_lines(1))
    (record,) = caplog.records
    assert (record.getMessage(), record.receipt) == ("POST capture:submissions 201", "receipt-0")
