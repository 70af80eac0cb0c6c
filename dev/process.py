"""Groups of child processes that end with the command that started them."""

import ctypes
import io
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Any

from dev.console import say_from

_PR_SET_PDEATHSIG = 1


class Process:
    """A started program in a process group of its own.

    Its output goes line by line to a function, or is appended to a file by the program itself.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        user: str | None = None,
        stop_signal: int = signal.SIGTERM,
        output: Callable[[str], None] | Path | None = None,
    ) -> None:
        self.name, self._stop_signal = name, stop_signal
        self.tail: list[str] = []
        self._on_line = None if isinstance(output, Path) else output
        self._asked = False
        with _target(output) as target:
            self._child = subprocess.Popen(
                [str(part) for part in command],
                env=dict(env),
                **identity(user),
                stdin=subprocess.DEVNULL,
                stdout=target,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent(stop_signal),
            )
        self._output = self._child.stdout or io.BytesIO()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id, which is the id of the group too."""
        return self._child.pid

    def exit_code(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._child.poll()

    def output(self) -> str:
        """Return the last lines it printed."""
        return "\n".join(self.tail)

    def ask_to_stop(self) -> None:
        """Send the stop signal once, to the program itself; it tells its children.

        Once, since to Celery and others a second one means: drop everything.
        """
        if not self._asked and self._child.poll() is None:
            self._asked = True
            self._child.send_signal(self._stop_signal)

    def stop(self, timeout: float = 15) -> None:
        """Ask it to stop, wait that many seconds, then end whatever is left of its group."""
        self.ask_to_stop()
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self._kill_group()
        self._kill_group()
        self._child.wait()
        self._reader.join(1)

    def wait(self, seconds: float) -> int:
        """Return the exit code once it has ended; raise TimeoutExpired after that many seconds."""
        return self._child.wait(seconds)

    def signal_group(self, number: int) -> None:
        """Send the signal to every process of its group, if any is left."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS answers so for a group of zombies
            return

    def _kill_group(self) -> None:
        self.signal_group(signal.SIGKILL)

    def _read(self) -> None:
        with self._output:
            for raw in self._output:
                line = raw.decode(errors="replace").rstrip()
                self.tail = [*self.tail[-39:], line]
                if self._on_line:
                    self._on_line(line)


@dataclass(frozen=True)
class Service:
    """A service on its way up: what programs need to find it, and how to wait for it."""

    environment: dict[str, str]
    wait: Callable[[], None]


class Group:
    """Programs that stand and fall together; leaving the context stops them all at once."""

    def __init__(self) -> None:
        self._members: list[Process] = []

    def __enter__(self) -> "Group":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._members:
            process.ask_to_stop()
        for process in self._members:
            process.stop()

    def start(self, name: str, command: Sequence[str | Path], env: Mapping[str, str]) -> Process:
        """Start a member whose lines show behind its name."""
        place = len(self._members)
        process = Process(name, command, env=env, output=lambda line: say_from(name, line, place))
        self._members.append(process)
        return process

    def first_dead(self) -> Process | None:
        """Return a member that ended by itself, if any."""
        return next((each for each in self._members if each.exit_code() is not None), None)


def identity(user: str | None) -> dict[str, Any]:
    """Return the arguments that make subprocess run a program as this user, groups included."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


@contextmanager
def running(
    name: str, command: Sequence[str | Path], env: Mapping[str, str], timeout: float = 15
) -> Iterator[Process]:
    """Run a program for as long as the context lasts, keeping only the tail of its output."""
    process = Process(name, command, env=env)
    try:
        yield process
    finally:
        process.stop(timeout)


class Interrupted(BaseException):
    """The person, or the system, asked this command to end."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into Interrupted; later ones wait for the end."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise Interrupted

    before = {number: signal.signal(number, interrupt) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_until(
    ready: Callable[[], bool], what: str, process: Process | None = None, seconds: float = 60
) -> None:
    """Poll until ready; raise RuntimeError when time is up or the process ends before."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process and process.exit_code() is not None:
            raise RuntimeError(f"{what} ended before it was ready:\n{process.output()}")
        if time.monotonic() > deadline:
            detail = f"\n{process.output()}" if process else ""
            raise RuntimeError(f"{what} was not ready within {seconds:.0f} seconds.{detail}")
        time.sleep(0.1)


def _target(output: Callable[[str], None] | Path | None) -> AbstractContextManager[int | IO[bytes]]:
    """Return what a program writes to: the file, opened to append, or a pipe."""
    if isinstance(output, Path):
        return output.open("ab")
    return nullcontext(subprocess.PIPE)


def _die_with_parent(number: int) -> Callable[[], None] | None:
    """Have Linux signal the child when this process dies in a way that no handler sees."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, number)
