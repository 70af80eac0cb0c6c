import os
import signal
import subprocess
import sys

import pytest

from dev.process import Group, Process, wait_until
from dev.state import AlreadyRunningError, only_one

ENV = {"PATH": os.environ["PATH"]}
FAMILY = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True); "
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of this")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def started(code):
    process = Process("one", [sys.executable, "-c", code], env=ENV)
    wait_until(lambda: bool(process.tail), "the program", process)
    return process


def test_stopping_a_program_ends_its_children_too():
    process = started(FAMILY + "import time; time.sleep(600)")
    child = int(process.tail[0])
    process.stop()
    wait_until(lambda: not is_alive(child), "the child's end", seconds=5)
    assert process.exit_code() == -signal.SIGTERM


def test_a_program_that_will_not_stop_is_killed():
    process = started(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('deaf', flush=True); time.sleep(600)"
    )
    process.stop(timeout=0.2)
    assert process.exit_code() == -signal.SIGKILL


def test_group_names_the_member_that_exited():
    with Group() as group:
        group.start("steady", ["sleep", "600"], ENV)
        group.start("weak", [sys.executable, "-c", "raise SystemExit(3)"], ENV)
        wait_until(lambda: group.first_dead() is not None, "its end")
        dead = group.first_dead()
        assert dead
        assert (dead.name, dead.exit_code()) == ("weak", 3)


def test_waiting_for_an_exited_program_reports_its_output():
    process = Process("one", [sys.executable, "-c", "raise SystemExit('no such disk')"], env=ENV)
    with pytest.raises(RuntimeError, match="The disk ended before it was ready:\nno such disk"):
        wait_until(lambda: process.exit_code() == 99, "The disk", process)


@ON_LINUX
def test_a_program_ends_when_its_starter_is_killed():
    code = (
        "from dev.process import Process; import os, time\n"
        "print(Process('one', ['sleep', '600'], env=dict(os.environ)).pid, flush=True)\n"
        "time.sleep(600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with starter:
        assert starter.stdout
        child = int(starter.stdout.readline())
        assert is_alive(child)
        starter.kill()
    wait_until(lambda: not is_alive(child), "the child's end", seconds=5)


def test_refused_lock_names_the_process_that_holds_it(tmp_path):
    with only_one("run", tmp_path):
        with pytest.raises(AlreadyRunningError, match=str(os.getpid())), only_one("run", tmp_path):
            pass
        with only_one("test", tmp_path):
            pass


def test_a_lock_is_free_again_after_its_holder_was_killed(tmp_path):
    code = (
        "import sys, time, pathlib; from dev.state import only_one\n"
        f"with only_one('run', pathlib.Path({str(tmp_path)!r})):\n"
        "    print('held', flush=True); time.sleep(600)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout
        holder.stdout.readline()
        holder.kill()
    with only_one("run", tmp_path):
        assert (tmp_path / "run.lock").read_text() == str(os.getpid())
