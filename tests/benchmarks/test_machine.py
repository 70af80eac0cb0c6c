import os
import subprocess
import sys
import time

import pytest

from tests.benchmarks import machine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
BUSY = "import time\nuntil = time.process_time() + 0.3\nwhile time.process_time() < until: pass"


def test_cpu_of_a_process_includes_its_ended_children():
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}]); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as process:
        with machine.watching({"web": process.pid}) as cost:
            until_quiet(process.pid)
        process.communicate(b"\n")
    assert 0.25 <= cost.cpu["web"] < 3


def test_children_and_their_children_belong_to_a_process():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert machine.parent(process.pid) == os.getpid()
        assert process.pid in machine.descendants(os.getpid())
        process.communicate(b"\n")


def until_quiet(pid):
    """Wait until the child has come and gone."""
    deadline = time.monotonic() + 20
    while len(machine.descendants(pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    while len(machine.descendants(pid)) > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
