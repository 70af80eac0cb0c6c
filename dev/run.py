"""`make run`: the whole system on this machine, with demo data, until Ctrl-C."""

import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from dev import environment, ports, postgres
from dev.commands import finish
from dev.console import fail, paint, say
from dev.process import Group, Interrupted, interruptible
from dev.state import ROOT, VAR, AlreadyRunningError, only_one
from leadgen.processes import roles

_BANNER = """
  {title}

    Workspace   {url}/admin/
{access}

  {hint}
"""
_DEMO = """    Log-in      admin@example.com   password: leadgen-demo
    A form      {url}/f/contact"""
_NO_DEMO = """    Log-in      your own users; the database has other forms, so no demo was added
                (a first user: make manage ARGS=createsuperuser)"""
_READY_WITHIN = 90


def main() -> None:
    """Start everything, show its logs, and end with status 1 when a part of it dies."""
    started = time.monotonic()
    try:
        with interruptible(), only_one("run"), _backends() as env:
            access = _prepare(env)
            with environment.shared(env):
                _serve(env, started, access)
    except AlreadyRunningError as other:
        fail(f"`make run` is already active in this checkout (process {other}). Stop it first.")
    except RuntimeError as error:
        fail(str(error))
    except Interrupted:
        say(paint("Stopped.", "dim"))


@contextmanager
def _backends() -> Iterator[dict[str, str]]:
    """Yield the environment, with a private backend for each that is not named in it."""
    env = environment.development()
    with ExitStack() as stack:
        if not environment.is_set(env, "DATABASE_URL"):
            env["DATABASE_URL"] = stack.enter_context(
                postgres.server("postgres", durable=True, is_superuser=False)
            )
        for name, scheme, folder in (
            ("BROKER_URL", "filesystem", "broker"),
            ("STORAGE_URL", "file", "storage"),
        ):
            if not environment.is_set(env, name):
                (VAR / folder).mkdir(exist_ok=True)
                env[name] = f"{scheme}://{VAR / folder}"
        yield env | _address(env) | _metrics()


def _address(env: dict[str, str]) -> dict[str, str]:
    preferred = int(env.get("PORT", "8000"))
    port = ports.first_free(preferred)
    if port != preferred:
        say(paint(f"Port {preferred} is taken; using {port}.", "yellow"))
    return {"PORT": str(port), "PUBLIC_URL": env.get("PUBLIC_URL") or f"http://localhost:{port}"}


def _metrics() -> dict[str, str]:
    folder = VAR / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return {"PROMETHEUS_MULTIPROC_DIR": str(folder)}


def _prepare(env: dict[str, str]) -> str:
    """Migrate and fill in the demo where nothing is; return the lines of the banner on log-in."""
    say("Bringing the database up to date …")
    _manage(env, "migrate", "--no-input")
    say("Filling in the demo …")
    printed = _manage(env, "demo", "--if-empty")
    return _NO_DEMO if "no demo was added" in printed else _DEMO


def _manage(env: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    return finish(
        f"manage.py {arguments[0]}", command, env={**env, "LOG_LEVEL": "WARNING"}, cwd=ROOT
    )


def _serve(env: dict[str, str], started: float, access: str) -> None:
    with Group() as group:
        group.start("web", _python(roles.ROLES["web"].command), env)
        # One machine: the worker consumes the queue of the role delivery as well.
        group.start("worker", _python(roles.worker_command(roles.QUEUES, "--concurrency=2")), env)
        group.start("beat", _python(roles.ROLES["beat"].command), env)
        _wait_for_readiness(group, env)
        _welcome(env, time.monotonic() - started, access)
        try:
            while _all_alive(group):
                time.sleep(0.2)
        except Interrupted:
            say("Stopping …")
            raise


def _python(command: tuple[str, ...]) -> list[str]:
    """Return the command as a module of this Python, whatever PATH is."""
    # Celery warns against root, which is the user of many development containers.
    quiet = ["-W", "ignore:You're running the worker with superuser"]
    return [sys.executable, *quiet, "-m", *command]


def _all_alive(group: Group) -> bool:
    if dead := group.first_dead():
        raise RuntimeError(
            f"The {dead.name} ended with status {dead.exit_code()}; the rest was stopped."
        )
    return True


def _wait_for_readiness(group: Group, env: dict[str, str]) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while _all_alive(group):
        answer = _readiness(f"http://127.0.0.1:{env['PORT']}/health/ready")
        if answer == "":
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"Not ready within {_READY_WITHIN} seconds: {answer}")
        time.sleep(0.1)


def _readiness(url: str) -> str:
    """Return nothing when ready, else what the server said is missing."""
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
            return ""
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code} {error.read(2000).decode(errors='replace')}"
    except OSError as error:
        return str(error)


def _welcome(env: dict[str, str], seconds: float, access: str) -> None:
    url = env["PUBLIC_URL"].rstrip("/")
    title = paint(f"Leadgen is running (after {seconds:.1f} s).", "bold")
    hint = paint("Ctrl-C stops it; the data stays. Logs follow.", "dim")
    say(_BANNER.format(title=title, hint=hint, url=url, access=access.format(url=url)))


if __name__ == "__main__":
    main()
