import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]


class Server:
    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = folder / "log"
        config = "python:leadgen.processes.gunicorn_config"
        command = [sys.executable, "-m", "gunicorn", "-c", config]
        own = {"PORT": str(self.port), "WEB_CONCURRENCY": "2", "LOG_FORMAT": "json"}
        surroundings = {k: v for k, v in os.environ.items() if k != "PROMETHEUS_MULTIPROC_DIR"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "leadgen.asgi:application"],
                cwd=ROOT,
                env={**surroundings, **own, "TMPDIR": str(folder)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def get(self, path: str) -> str:
        deadline = time.monotonic() + 30
        while True:
            try:
                with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                    return str(answer.read().decode())
            except URLError:
                assert time.monotonic() < deadline, self.log.read_text()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@pytest.fixture
def server(tmp_path):
    running = Server(tmp_path)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def requests_counted(server):
    found = re.search(r'route="health-live",status="200"} (\d+)', server.get("/metrics"))
    return int(found[1]) if found else 0


def test_two_workers_count_together_and_leave_nothing_behind(server, tmp_path):
    for _ in range(12):
        assert '"ok": true' in server.get("/health/live")
    assert requests_counted(server) == 12
    assert server.stop() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_the_server_speaks_in_the_same_json_lines(server):
    server.get("/login")
    server.stop()
    lines = server.log.read_text().splitlines()
    assert lines
    assert all(line.startswith('{"ts": ') for line in lines)
