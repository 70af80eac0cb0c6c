"""Accepted submissions against the plain reference of plain_drf/, both publishing to RabbitMQ.

Same database server, same clients, the same answers. The reference runs as it is usually set up:
gunicorn, 2 processes with 8 threads each, a connection pool. No worker consumes on either side.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from urllib.error import HTTPError
from urllib.request import urlopen

from dev import ports
from dev.commands import finish
from dev.process import running, wait_until
from tests.benchmarks import site
from tests.benchmarks.capture import Run, Target, measure, warm_up, web
from tests.benchmarks.ground import Ground
from tests.benchmarks.results import Result

_SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.plain_drf.settings"}
_GUNICORN = "gunicorn --workers 2 --worker-class gthread --threads 8 --log-level warning"
_WSGI = "tests.benchmarks.plain_drf.wsgi"
# The same answers, flat: what a serializer of one model takes.
BODY = {
    **site.BODY["fields"],
    **site.BODY["context"],
    "submitted_at": site.BODY["submitted_at"],
}
_AT_LEAST = {16: 10.0, 64: 10.0}


def run(ground: Ground, rounds: int) -> Iterator[Result]:
    """Yield the ratio for 1, 16 and 64 clients."""
    with (
        ground.site("capture", ground.rabbitmq_url) as place,
        web(place) as (_, ours),
        plain_drf(ground) as theirs,
    ):
        for clients in (1, 16, 64):
            pairs = [_pair(ours, theirs, clients) for _ in range(rounds)]
            yield _result(clients, pairs)


@contextmanager
def plain_drf(ground: Ground) -> Iterator[Target]:
    """Run the reference, warmed up, for as long as the context lasts."""
    with site.database(ground.url, "plain_drf") as database:
        urls = {"DATABASE_URL": database.url, "BROKER_URL": ground.rabbitmq_url}
        env = site.environment() | _SETTINGS | urls
        migrate = [sys.executable, "-m", "django", "migrate", "--run-syncdb", "-v0"]
        finish("migrate", migrate, env=env)
        address = f"127.0.0.1:{ports.any_free()}"
        command = [sys.executable, "-m", *_GUNICORN.split(), "--bind", address, _WSGI]
        with running("plain_drf", command, env) as process:
            wait_until(lambda: _answers(f"http://{address}/"), "plain_drf", process)
            roots = {"web": process.pid, "postgres": database.postmaster()}
            url = f"http://{address}/api/leads/"
            target = Target(url, BODY, database, "plain_drf_lead", roots)
            warm_up(target)
            yield target


def _answers(url: str) -> bool:
    try:
        urlopen(url, timeout=2).close()
    except HTTPError:
        return True  # there is no such page, says the application
    except OSError:
        return False
    return True


def _pair(ours: Target, theirs: Target, clients: int) -> tuple[Run, Run]:
    ours.empty()
    theirs.empty()
    return (
        measure(ours, clients=clients, seconds=4),
        measure(theirs, clients=clients, seconds=4),
    )


def _result(clients: int, pairs: list[tuple[Run, Run]]) -> Result:
    return Result(
        "capture_vs_plain_drf",
        f"{clients} clients",
        [ours.accepted_per_second / theirs.accepted_per_second for ours, theirs in pairs],
        at_least=_AT_LEAST.get(clients),
        noise=median(run.noise for pair in pairs for run in pair),
        detail={
            "accepted/s": median(ours.accepted_per_second for ours, _ in pairs),
            "plain/s": median(theirs.accepted_per_second for _, theirs in pairs),
            "web CPU ms": median(ours.web_ms for ours, _ in pairs),
            "plain web CPU ms": median(theirs.web_ms for _, theirs in pairs),
            "plain p50 ms": median(theirs.p50_ms for _, theirs in pairs),
            "errors": max(run.errors for pair in pairs for run in pair),
        },
    )
