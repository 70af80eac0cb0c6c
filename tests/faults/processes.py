"""Processes below those of a stack, as /proc tells."""

import os
import signal
import time
from pathlib import Path

from tests.stack import Stack


def children(pid: int) -> list[int]:
    """The direct children of a process that lives."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(child) for child in listed.split()]


def kill_child(stack: Stack, role: str) -> None:
    """SIGKILL one of the role's own processes; its parent lives."""
    os.kill(children(stack.processes[role].pid)[0], signal.SIGKILL)


def end(stack: Stack, role: str, seconds: float) -> float:
    """SIGTERM the role's first process alone, as platforms do; return how long it took to end."""
    process, started = stack.processes.pop(role), time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(seconds) == 0
    return time.monotonic() - started


def memory(stack: Stack, role: str) -> float:
    """The resident memory of the role's processes in MB."""
    parent = stack.processes[role].pid
    return sum(_resident(pid) for pid in (parent, *children(parent))) / 1024


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0
