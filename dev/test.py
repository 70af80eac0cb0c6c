"""`make test`: start real services on free ports, run pytest, stop the services."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from dev import browser, kubectl, postgres, promtool, rabbitmq, seaweedfs
from dev.console import fail, paint, say
from dev.process import Interrupted, interruptible
from dev.state import ROOT, AlreadyRunningError, only_one

_WORKERS = min(os.cpu_count() or 1, 4)
# Modules stay together, so that what one module starts is started once.
_DEFAULTS = ["-p", "dev.own_postgres", "-n", str(_WORKERS), "--dist", "loadfile", "--durations=15"]


def main() -> None:
    """Run pytest with the arguments of the command line and end with its status."""
    try:
        with interruptible(), only_one("test"), _services() as env:
            status = _pytest(sys.argv[1:], env)
    except AlreadyRunningError as other:
        fail(f"`make test` is already active in this checkout (process {other}).")
    except RuntimeError as error:
        fail(str(error))
    except Interrupted:
        say(paint("Interrupted; every service was stopped.", "dim"))
        status = 130
    sys.exit(status)


@contextmanager
def _services() -> Iterator[dict[str, str]]:
    started = time.monotonic()
    rabbitmq.ensure()
    programs = {
        "CHROMIUM": browser.chromium(),
        "KUBECTL": kubectl.program(),
        "PROMTOOL": promtool.program(),
    }
    env = environment() | browser.packages() | browser.others() | programs
    say("Starting PostgreSQL, RabbitMQ and SeaweedFS …")
    with (
        rabbitmq.server() as broker,
        seaweedfs.server() as storage,
        _databases() as urls,
    ):
        storage.wait()
        broker.wait()
        say(f"Ready after {time.monotonic() - started:.1f} s.")
        yield env | broker.environment | storage.environment | urls


@contextmanager
def _databases() -> Iterator[dict[str, str]]:
    """Yield DATABASE_URL, and one for each pytest worker, as dev.own_postgres wants them."""
    with ExitStack() as stack:
        urls = [
            stack.enter_context(
                postgres.server(
                    f"test-postgres-{place}", durable=False, max_prepared_transactions="10"
                )
            )
            for place in range(_WORKERS)
        ]
        own = {f"DATABASE_URL_gw{place}": url for place, url in enumerate(urls)}
        yield {"DATABASE_URL": urls[0], **own}


def environment() -> dict[str, str]:
    """Return the environment of the tests' own processes."""
    # What a person has set for `make run` must not steer the tests.
    dropped = ("DATABASE", "BROKER_", "STORAGE_", "EMAIL_", "PUBLIC_URL", "ALLOWED_HOSTS", "AWS_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return inherited | {
        "DEBUG": "true",
        "BROKER_URL": "memory://",
        "LOG_FORMAT": "console",
        "LEADGEN_TEST_STRICT": "1",
    }


def _pytest(arguments: list[str], env: dict[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", *_DEFAULTS, *arguments]
    child = subprocess.Popen(command, env=env, cwd=ROOT, start_new_session=True)
    try:
        return child.wait()
    finally:
        _end(child)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Let an interrupted pytest report first, then end whatever is left of its group."""
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            say("pytest does not end; killing it.")
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    main()
