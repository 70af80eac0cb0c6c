import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dev.ports import any_free
from leadgen.processes import heartbeat
from tests.flows.waiting import eventually
from tests.stack import running

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HEARTBEAT_DIR", str(tmp_path))
    return tmp_path


def probe(role, **env):
    done = subprocess.run(
        [sys.executable, "-m", "leadgen.processes.heartbeat", role],
        env={**os.environ, **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def states(folder):
    # Of both roles; nothing until each has left one.
    files = list(folder.glob("*.heartbeat"))
    return {file.read_text() for file in files} if len(files) == 2 else set()


def grow_old(folder, role, seconds):
    then = time.time() - seconds
    os.utime(folder / f"leadgen-{role}.heartbeat", (then, then))


@pytest.mark.parametrize("role", ["worker", "beat"])
def test_role_with_a_recent_heartbeat_is_alive(folder, role):
    heartbeat.touch(role)
    assert probe(role) == (0, "")


@pytest.mark.parametrize("role", ["worker", "beat"])
def test_role_with_an_old_heartbeat_is_not_alive(folder, role):
    heartbeat.touch(role)
    grow_old(folder, role, heartbeat.SECONDS + 2)
    status, said = probe(role)
    assert status == 1
    assert f"the last heartbeat of {role} is 6" in said


def test_role_that_waits_for_its_broker_stays_alive(folder):
    heartbeat.pause("worker")
    grow_old(folder, "worker", 24 * 3600)
    assert probe("worker") == (0, "")


def test_a_role_that_has_not_started_is_not_alive(folder):
    status, said = probe("beat")
    assert status == 1
    assert "no heartbeat of beat" in said


def test_probe_names_the_missing_heartbeat_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("HEARTBEAT_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    heartbeat.touch("worker")
    assert list(tmp_path.iterdir()) == []
    assert "HEARTBEAT_DIR is not set" in probe("worker")[1]


def test_unwritable_heartbeat_does_not_stop_the_process(tmp_path, monkeypatch):
    monkeypatch.setenv("HEARTBEAT_DIR", str(tmp_path / "gone"))
    heartbeat.touch("worker")
    heartbeat.pause("beat")
    assert "no heartbeat of worker" in probe("worker")[1]


def test_an_unknown_role_is_refused():
    status, said = probe("nobody")
    assert status == 1
    assert "web|worker|delivery|beat" in said


def test_web_that_does_not_answer_is_not_alive():
    port = any_free()
    status, said = probe("web", PORT=str(port))
    assert status == 1
    assert f"web does not answer on port {port}" in said


def test_a_web_process_that_answers_with_an_error_is_not_alive():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        asked = subprocess.Popen(
            [sys.executable, "-m", "leadgen.processes.heartbeat", "web"],
            env={**os.environ, "PORT": str(listener.getsockname()[1])},
            cwd=ROOT,
            stderr=subprocess.PIPE,
        )
        visitor, _ = listener.accept()
        with visitor:
            visitor.recv(1000)
            visitor.sendall(b"HTTP/1.1 500 Internal Server Error\r\n\r\n")
        _, said = asked.communicate(timeout=20)
    assert asked.returncode == 1
    assert b"web answers 'HTTP/1.1 500" in said


@pytest.mark.processes
@pytest.mark.xdist_group("stack")
def test_running_worker_and_beat_renew_their_heartbeats(folder, rabbitmq_url):
    roles = ("worker", "beat")
    with running(folder, {"BROKER_URL": rabbitmq_url}, roles=roles):
        eventually(lambda: states(folder) == {"running"}, seconds=60)
        for role in roles:
            grow_old(folder, role, 3600)
        eventually(lambda: [probe(role) for role in roles] == [(0, "")] * 2, seconds=20)


@pytest.mark.processes
@pytest.mark.xdist_group("stack")
def test_worker_and_beat_without_a_broker_are_alive(folder):
    nowhere = f"amqp://guest:guest@127.0.0.1:{any_free()}//"
    with running(folder, {"BROKER_URL": nowhere}, roles=("worker", "beat")):
        eventually(lambda: states(folder) == {"paused"}, seconds=60)
        assert probe("worker") == probe("beat") == (0, "")
