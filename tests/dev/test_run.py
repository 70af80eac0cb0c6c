import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psycopg
import pytest

from dev.state import ROOT

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def var():
    # Not tmp_path: PostgreSQL may run as another user, who must be able to enter.
    folder = Path(tempfile.mkdtemp(prefix="leadgen-run-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_database():
    server = os.environ["DATABASE_URL"].rsplit("/", 1)[0]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS leadgen_run_test WITH (FORCE)")
        connection.execute("CREATE DATABASE leadgen_run_test")
        yield f"{server}/leadgen_run_test"
        connection.execute("DROP DATABASE leadgen_run_test WITH (FORCE)")


class Run:
    def __init__(self, var, **env):
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.var, self.said = var, ""
        self.child = subprocess.Popen(
            [sys.executable, "-m", "dev.run"],
            cwd=ROOT,
            env={**kept, "LEADGEN_VAR": str(var), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        assert self.child.stdout
        self.child.stdout.close()
        self.child.wait()

    def until(self, text):
        assert self.child.stdout
        for line in self.child.stdout:
            self.said += line
            if text in line:
                return self.said
        raise AssertionError(f"ended without saying {text!r}:\n{self.said}")

    def end(self):
        assert self.child.stdout
        self.said += self.child.stdout.read()
        return self.child.wait(60)

    def left_over(self):
        return [pid for pid in processes() if str(self.var) in environment_of(pid)]


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def environment_of(pid):
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace") + command_of(pid)
    except OSError:
        return ""


def command_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")


def child_named(run, word):
    return next(pid for pid in run.left_over() if word in command_of(pid))


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def ended(pids):
    deadline = time.monotonic() + 30
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(is_alive, pids))


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


@on_linux
def test_run_prints_addresses_and_stops_all_parts_on_ctrl_c(var):
    with Run(var) as run:
        said = run.until("Ctrl-C stops it")
        url = re.search(r"Workspace +(\S+)/admin/", said)
        assert url
        assert "admin@example.com" in said
        with urllib.request.urlopen(f"{url[1]}/f/contact", timeout=10) as page:
            assert page.status == 200
        everything = run.left_over()
        run.child.send_signal(signal.SIGINT)
        assert run.end() == 0
        assert ended(everything)
    assert "Stopped." in run.said


@on_linux
def test_run_changes_port_refuses_second_and_ends_on_sigterm(var):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Run(var, PORT=str(port)) as run:
            assert f"Port {port} is taken" in run.until("A form")
            with Run(var) as second:
                assert second.end() == 1
                assert f"already active in this checkout (process {run.child.pid})" in second.said
            everything = run.left_over()
            run.child.terminate()
            assert run.end() == 0
            assert ended(everything)


@on_linux
def test_exit_of_one_part_is_named_and_stops_the_rest(var):
    with Run(var) as run:
        run.until("Ctrl-C stops it")
        everything = run.left_over()
        os.kill(child_named(run, "beat"), signal.SIGKILL)
        assert run.end() == 1
        assert ended(everything)
    assert "The beat ended with status -9" in run.said


@on_linux
def test_killed_run_leaves_no_process_and_restarts(var):
    with Run(var) as run:
        run.until("Ctrl-C stops it")
        everything = run.left_over()
        run.child.kill()
        assert ended(everything)
    with Run(var) as again:
        again.until("Ctrl-C stops it")
        again.child.terminate()
        assert again.end() == 0


@on_linux
def test_configured_backends_replace_private_ones(var, own_database, rabbitmq_url, s3_url):
    keys = {name: os.environ[name] for name in os.environ if name.startswith("AWS_")}
    urls = {"DATABASE_URL": own_database, "BROKER_URL": rabbitmq_url, "STORAGE_URL": s3_url}
    with Run(var / "named", **keys, **urls) as run:
        run.until("Ctrl-C stops it")
        assert not [pid for pid in run.left_over() if "postgres\0-D" in command_of(pid)]
        run.child.terminate()
        assert run.end() == 0
    with psycopg.connect(own_database) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM leads_lead").fetchone() == (True,)
    assert {path.name for path in (var / "named").iterdir()} >= {"metrics"}
    assert not (var / "named" / "broker").exists()
