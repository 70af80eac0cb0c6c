"""What is measured: a durable PostgreSQL, a database for each benchmark, a form on the air."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from dev import postgres
from dev.commands import finish
from tests.benchmarks import machine

ROOT = Path(__file__).resolve().parents[2]
BODY: dict[str, Any] = {
    "fields": {
        "name": "Augusta Example",
        "email": "augusta.UNIQUE@example.com",
        "phone": "+44 20 7946 0958",
        "company": "Example Looms Limited",
        "message": "We weave about two hundred patterns a year and would like to see how your "
        "system keeps them apart. Could somebody call us next week, best on Tuesday morning?",
        "privacy": True,
    },
    "context": {
        "page_url": "https://www.example.com/products/looms?utm_source=newsletter&utm_medium=email",
        "referrer": "https://news.example.org/articles/weaving-by-numbers",
        "utm": {
            "source": "newsletter",
            "medium": "email",
            "campaign": "spring-looms",
            "term": "pattern library",
            "content": "second-button",
        },
    },
    "submitted_at": "2026-01-05T10:15:00Z",
}
# Production's settings, except that one address may post without limit.
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings",
    "DEBUG": "false",
    "LOG_FORMAT": "json",
    "SECRET_KEY": "made-up-for-benchmarks-and-long-enough-to-be-taken",
    "ALLOWED_HOSTS": "127.0.0.1,testserver",
    "PUBLIC_URL": "http://127.0.0.1",
    "CAPTURE_FLOOD_PER_MINUTE": "1000000000",
    "CAPTURE_LIMIT_PER_MINUTE": "1000000000",
    "PYTHONPATH": str(ROOT),
}


@dataclass(frozen=True)
class Database:
    """One database of the benchmarks' own server."""

    url: str

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement in autocommit mode and return its rows, if it has any."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            # The statements are the benchmarks' own.
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def count(self, table: str) -> int:
        return int(self.query(f"SELECT count(*) FROM {table}")[0][0])

    def postmaster(self) -> int:
        """Return the process id of the server."""
        with psycopg.connect(self.url) as connection:
            return machine.parent(connection.info.backend_pid)


@dataclass(frozen=True)
class Site:
    """A migrated Leadgen with a form: its database, its processes' environment, their folder."""

    database: Database
    folder: Path
    environment: dict[str, str]
    public_id: str

    def submissions(self, url: str) -> str:
        """Return the address to post to on a web role that answers at this URL."""
        return f"{url}/api/v1/public/forms/{self.public_id}/submissions"


def environment() -> dict[str, str]:
    """Return what programs under measurement find set, backends apart."""
    return {**os.environ, **SETTINGS}


@contextmanager
def server() -> Iterator[str]:
    """Run PostgreSQL with production's commit settings and yield its URL."""
    with postgres.server("bench-postgres", durable=True) as url:
        yield url


@contextmanager
def database(server_url: str, name: str) -> Iterator[Database]:
    """Yield a fresh database of this name; drop it on leaving."""
    drop = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
    maker = Database(server_url)
    maker.query(drop)
    maker.query(f"CREATE DATABASE {name}")
    try:
        yield Database(urlsplit(server_url)._replace(path=f"/{name}").geturl())
    finally:
        maker.query(drop)


@contextmanager
def site(server_url: str, name: str, broker_url: str = "") -> Iterator[Site]:
    """Yield a migrated Leadgen with the form on the air, on a database of this name."""
    folder = Path(tempfile.mkdtemp(prefix="leadgen-bench-"))
    (folder / "broker").mkdir()
    try:
        with database(server_url, name) as made:
            backends = {
                "DATABASE_URL": made.url,
                "BROKER_URL": broker_url or f"filesystem://{folder}/broker",
                "STORAGE_URL": f"file://{folder}/storage",
            }
            env = environment() | backends
            finish("migrate", [sys.executable, "manage.py", "migrate", "-v0"], env=env)
            yield Site(made, folder, env, inside(env, "form"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def inside(environment: dict[str, str], module: str, *arguments: str) -> str:
    """Run main() of a module here in a process that has Django; return what it printed."""
    command = [sys.executable, "-m", "tests.benchmarks.inside", module, *arguments]
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stderr[-3000:]}")
    return done.stdout
