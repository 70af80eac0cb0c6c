import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from leadgen.lib.backends import storage
from leadgen.lib.net.timeouts import run_with_timeout
from leadgen.operations import health
from leadgen.operations.health import Backend
from leadgen.operations.probes import _migrated

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def readiness(monkeypatch):
    """Ask the backends for each request, except where a test sets the age."""
    monkeypatch.setattr(health, "MAX_AGE_SECONDS", 0.0)
    monkeypatch.setattr(health, "READINESS", health.Readiness())


@pytest.fixture
def backends(monkeypatch):
    return lambda *made: monkeypatch.setattr(health, "BACKENDS", list(made))


def refuse():
    raise ConnectionRefusedError("amqp://user:secret@host refuses")


def works():
    pass


def test_liveness_sends_no_query(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/health/live").json()["ok"]


def test_every_backend_is_named(client):
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    named = answer.json()["backends"]
    assert {name: backend["ok"] for name, backend in named.items()} == {
        "database": True,
        "storage": True,
        "broker": True,
    }


def test_ready_without_the_database_while_storage_answers(client, backends):
    client.get("/health/ready")
    backends(Backend("database", refuse), Backend("storage", works, required=False))
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["backends"]["database"]["error"] == "ConnectionRefusedError"
    assert answer.json()["backends"]["storage"]["ok"]


def test_not_ready_without_database_and_storage(client, backends):
    client.get("/health/ready")
    backends(Backend("database", refuse), Backend("storage", refuse, required=False))
    assert client.get("/health/ready").status_code == 503


def test_not_ready_before_the_tables_were_read(client, backends):
    _migrated.cache_clear()
    backends(Backend("database", refuse), Backend("storage", works, required=False))
    assert client.get("/health/ready").status_code == 503


def test_readiness_shows_only_the_class_of_a_fault(client, backends):
    backends(Backend("database", refuse))
    assert b"secret" not in client.get("/health/ready").content


def test_ready_without_the_broker(client, settings):
    settings.BROKER_URL = "amqp://nobody:secret@127.0.0.1:1//"
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert not answer.json()["backends"]["broker"]["ok"]


def test_ready_without_the_storage(client, settings):
    settings.STORAGES = settings.STORAGES | {"default": storage("s3://bucket?endpoint_url=x")}
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert not answer.json()["backends"]["storage"]["ok"]


def test_not_ready_with_unapplied_migrations(client, monkeypatch):
    plan = [(("leads", "0042_new"), False)]
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: plan)
    _migrated.cache_clear()
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["backends"]["database"]["error"] == "NotMigratedError"


def test_hanging_backend_times_out(client, backends, monkeypatch):
    monkeypatch.setattr(health, "SECONDS", 0.05)
    for_ever = threading.Event()

    def hang():
        for_ever.wait(30)

    backends(Backend("database", hang))
    answer = client.get("/health/ready")
    for_ever.set()
    assert answer.status_code == 503
    assert answer.json()["backends"]["database"]["error"] == "TimeoutError"


def test_run_with_timeout_returns_or_raises_as_the_call():
    assert run_with_timeout(5, lambda: 7) == 7
    with pytest.raises(ConnectionRefusedError, match="refuses"):
        run_with_timeout(5, refuse)


def test_concurrent_probes_check_each_backend_once(backends, monkeypatch):
    monkeypatch.setattr(health, "MAX_AGE_SECONDS", 60.0)
    asked = []
    backends(Backend("database", lambda: asked.append(1)))
    with ThreadPoolExecutor(16) as strangers:
        answers = list(strangers.map(lambda _: Client().get("/health/ready"), range(64)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(asked) == 1


def test_a_fault_shows_once_the_last_answer_is_old(client, backends, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(health, "MAX_AGE_SECONDS", 1.0)
    monkeypatch.setattr(health, "READINESS", health.Readiness(lambda: now[0]))
    assert client.get("/health/ready").status_code == 200
    backends(Backend("database", refuse), Backend("storage", refuse, required=False))
    now[0] = 100.9
    assert client.get("/health/ready").status_code == 200
    now[0] = 101.1
    assert client.get("/health/ready").status_code == 503
