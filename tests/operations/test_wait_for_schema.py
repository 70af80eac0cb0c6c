"""Web starts without the database, but not on a schema that is known to be older."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import OperationalError

from leadgen.operations import probes
from leadgen.operations.management.commands import wait_for_schema
from leadgen.operations.probes import NotMigratedError

pytestmark = pytest.mark.django_db(transaction=True)

BEHIND = NotMigratedError("2 migrations are not applied, the first is leads.0002_x")
AWAY = OperationalError("connection refused")


def wait(monkeypatch, faults, unknown_for):
    """Run the command against these answers of the database; return what it printed."""
    answers = iter(faults)

    def probe():
        if fault := next(answers, None):
            raise fault

    monkeypatch.setattr(probes, "database", probe)
    monkeypatch.setattr(wait_for_schema, "PAUSE_SECONDS", 0)
    out = StringIO()
    call_command("wait_for_schema", f"--unknown-for={unknown_for}", stdout=out)
    return out.getvalue().splitlines()


def test_a_migrated_database_is_not_waited_for():
    out = StringIO()
    call_command("wait_for_schema", stdout=out)
    assert out.getvalue() == ""


def test_an_older_schema_is_waited_for_without_limit(monkeypatch):
    assert wait(monkeypatch, [BEHIND] * 5, unknown_for=0) == [f"waiting: {BEHIND}"] * 5


def test_start_continues_without_the_database_after_the_limit(monkeypatch):
    assert wait(monkeypatch, [AWAY] * 5, unknown_for=0) == [
        "starting without the database: OperationalError"
    ]


def test_start_waits_if_the_database_returns_too_old(monkeypatch):
    said = wait(monkeypatch, [AWAY, BEHIND, None], unknown_for=60)
    assert said == ["database unavailable: OperationalError", f"waiting: {BEHIND}"]
