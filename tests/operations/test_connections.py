"""Connections that processes hold in PostgreSQL, counted in pg_stat_activity by their names."""

import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest

from leadgen.lib.postgresql import process_name
from tests.flows.waiting import eventually
from tests.servers import postgresql
from tests.stack import embedded, running

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("connections")]

ROOT = Path(__file__).resolve().parents[2]
POOL, PROCESSES = 4, 2
EMAIL, PASSWORD = "ada@example.com", "secret-word"
MAKE_ADMINISTRATOR = f"""
import django; django.setup()
from tests.factories import make_pipeline, make_user
make_pipeline()
make_user(role="admin", email="{EMAIL}")
"""
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"


@pytest.fixture(scope="module")
def database():
    with postgresql("connections") as url:
        yield url


@pytest.fixture(scope="module")
def pooled(database, tmp_path_factory):
    """Web, worker and beat on a PostgreSQL of their own, with small pools and a short limit."""
    folder = tmp_path_factory.mktemp("connections")
    backends = {
        **embedded(folder, database),
        "DATABASE_POOL_SIZE": str(POOL),
        "DATABASE_STATEMENT_SECONDS": "2",
    }
    environment = {**os.environ, "DEBUG": "true", **backends}
    environment["DJANGO_SETTINGS_MODULE"] = "leadgen.settings"
    for command in (["manage.py", "migrate", "-v0"], ["-c", MAKE_ADMINISTRATOR]):
        subprocess.run([sys.executable, *command], env=environment, check=True)
    served = {"DJANGO_SETTINGS_MODULE": "tests.operations.undebugged", "PYTHONPATH": str(ROOT)}
    with running(folder, backends | served) as started:
        yield started


@pytest.fixture(scope="module")
def ask(pooled):
    """Return status and text of a page for the administrator."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    login = f"{pooled.url}/login"
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', opener.open(login).read().decode())
    assert token
    told = {"csrfmiddlewaretoken": token[1], "login": EMAIL, "password": PASSWORD}
    opener.open(login, urlencode(told).encode())

    def page(path):
        try:
            with opener.open(f"{pooled.url}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    assert "/admin/logout/" in page("/admin/")[1]
    return page


def count(database, name):
    with psycopg.connect(database) as connection:
        return connection.execute(COUNT, [name]).fetchall()[0][0]


def most_while(database, name, work):
    """Return the most connections of this name that were open while the work went on."""
    counts, is_done = [], threading.Event()

    def watch():
        while not is_done.wait(0.05):
            counts.append(count(database, name))

    with ThreadPoolExecutor(1) as watcher:
        watched = watcher.submit(watch)
        work()
        is_done.set()
        watched.result()
    return max(counts)


def test_150_pages_one_by_one_hold_at_most_the_pool(database, ask):
    def browse():
        assert {ask("/admin/leads/lead/")[0] for _ in range(150)} == {200}

    assert 0 < most_while(database, "leadgen web", browse) <= POOL * PROCESSES


def test_12_clients_at_once_hold_at_most_the_pool(database, ask):
    def browse():
        with ThreadPoolExecutor(12) as clients:
            answers = list(clients.map(ask, ["/admin/leads/lead/"] * 120))
        assert {status for status, _ in answers} == {200}

    assert 0 < most_while(database, "leadgen web", browse) <= POOL * PROCESSES


def test_pages_do_not_notice_that_their_connections_were_ended(database, ask):
    ask("/admin/")
    with psycopg.connect(database) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'leadgen web'"
        )
    assert {ask("/admin/leads/lead/")[0] for _ in range(10)} == {200}


def test_worker_and_beat_hold_at_most_one_connection(database, ask):
    def wait():
        started = time.monotonic()
        eventually(lambda: time.monotonic() - started > 6, seconds=10)

    assert most_while(database, "leadgen worker", wait) == 1
    assert count(database, "leadgen beat") <= 1


def test_pages_alone_have_a_statement_limit(pooled, database, ask):
    ask("/admin/")
    # Asked in a process of each role, as the role's own code connects.
    code = (
        "import sys; sys.argv = {argv}\n"
        "import {module}, django; django.setup()\n"
        "from django.db import connection\n"
        "with connection.cursor() as cursor:\n"
        "    cursor.execute('SHOW statement_timeout'); print(cursor.fetchone()[0])"
    )
    limits = {}
    for module, argv in {
        "leadgen.asgi": ["gunicorn"],
        "leadgen.celery": ["celery", "-A", "leadgen", "worker"],
        "leadgen": ["manage.py", "migrate"],
    }.items():
        command = [sys.executable, "-c", code.format(module=module, argv=argv)]
        done = subprocess.run(
            command,
            env=pooled.environment | {"DJANGO_SETTINGS_MODULE": "leadgen.settings"},
            capture_output=True,
            text=True,
            check=True,
        )
        limits[module] = done.stdout.strip()
    assert limits == {"leadgen.asgi": "2s", "leadgen.celery": "0", "leadgen": "0"}


def test_slow_page_explains_how_to_make_it_faster(pooled, database, ask):
    with psycopg.connect(database) as connection:
        connection.execute("LOCK TABLE leads_lead IN ACCESS EXCLUSIVE MODE")
        status, text = ask("/admin/leads/lead/")
    assert status == 503
    assert "Narrow" in text
    assert 'leadgen_pages_failed_total{reason="slow"} 0.0' not in ask("/metrics")[1]
    assert "Traceback" not in pooled.log("web")


def test_page_without_free_connection_has_a_retry_time(pooled, database, ask):
    with psycopg.connect(database) as connection, ThreadPoolExecutor(48) as clients:
        connection.execute("LOCK TABLE leads_lead IN ACCESS EXCLUSIVE MODE")
        answers = list(clients.map(ask, ["/admin/leads/lead/"] * 48))
    assert {status for status, _ in answers} == {503}
    assert any("many people" in text for _, text in answers)
    assert "Traceback" not in pooled.log("web")
    assert ask("/admin/leads/lead/")[0] == 200


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["/usr/bin/gunicorn", "-c", "x"], "gunicorn"),
        (["/venv/bin/celery", "-A", "leadgen", "worker"], "worker"),
        (["celery", "--quiet", "-A", "leadgen", "beat"], "beat"),
        (["manage.py", "migrate", "-v0"], "migrate"),
        (["manage.py"], "manage"),
    ],
)
def test_process_is_named_by_its_role_or_command(arguments, name):
    assert process_name(arguments) == name
