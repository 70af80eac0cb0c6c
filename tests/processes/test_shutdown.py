import subprocess
import sys
from types import SimpleNamespace

from leadgen.processes import worker_shutdown


def ended():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_exited_child_does_not_prevent_other_interrupts(monkeypatch):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as busy:
        children = [SimpleNamespace(pid=ended()), SimpleNamespace(pid=busy.pid)]
        monkeypatch.setattr(worker_shutdown, "active_children", lambda: children)
        worker_shutdown._interrupt()
    assert busy.returncode < 0
