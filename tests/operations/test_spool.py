"""Spooled submissions in reconcile, doctor and metrics."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from leadgen.lib.ids import uuid7
from leadgen.operations import doctor
from leadgen.operations.doctor import Level
from leadgen.operations.reconcile import measure
from tests.factories import make_submission

pytestmark = pytest.mark.django_db(transaction=True)


def spooled(age=timedelta(0)):
    milliseconds = f"{int((timezone.now() - age).timestamp() * 1000):012x}"
    receipt = f"{milliseconds[:8]}-{milliseconds[8:]}{str(uuid7())[13:]}"
    default_storage.save(f"spool/2026-01-01/{receipt}.json", ContentFile(b"{}"))


def parked():
    default_storage.save(f"spool/parked/{uuid7()}.json", ContentFile(b"?"))


@pytest.fixture
def no_storage(tmp_path):
    (tmp_path / "spool").write_text("in the way")


@pytest.fixture
def scraped(client):
    def scrape():
        lines = client.get("/metrics").content.decode().splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))

    return scrape


def finding():
    return next(found for found in doctor.examine() if found.subject == "spool")


def reconciled(*args):
    printed = StringIO()
    call_command("reconcile", *args, stdout=printed)
    return printed.getvalue()


def test_depth_and_age_are_metrics(scraped):
    spooled(timedelta(minutes=5))
    spooled()
    parked()
    told = scraped()
    assert (told["leadgen_spool_depth"], told["leadgen_spool_parked"]) == ("2.0", "1.0")
    assert 300 <= float(told["leadgen_spool_oldest_seconds"]) < 320


def test_an_empty_spool_has_no_age(scraped):
    told = scraped()
    assert (told["leadgen_spool_depth"], told["leadgen_spool_oldest_seconds"]) == ("0.0", "0.0")


def test_other_metrics_are_served_without_the_storage(scraped, no_storage):
    told = scraped()
    assert told["leadgen_spool_readable"] == "0.0"
    assert told["leadgen_ledger_readable"] == "1.0"
    assert "leadgen_spool_depth" not in told


def test_spooled_submissions_wait_and_parked_objects_are_parked():
    make_submission()
    spooled(timedelta(hours=2))
    parked()
    balance = measure()
    assert (balance.places["waiting"], balance.places["parked"], balance.total) == (2, 1, 3)
    assert balance.unaccounted == 0
    assert "2 of these are in the spool" in reconciled()
    assert "the oldest has waited 2 hours" in reconciled()
    assert json.loads(reconciled("--json"))["spooled"] == 2


def test_reconcile_reports_an_unavailable_spool(no_storage):
    make_submission()
    assert "the spool is unavailable" in reconciled()
    assert measure().places["waiting"] == 1


def test_doctor_reports_the_depth_of_the_spool():
    spooled()
    assert (finding().level, finding().text) == (Level.OK, "1 submissions wait in the spool")


def test_doctor_fails_when_submissions_stay_in_the_spool():
    spooled(timedelta(minutes=5))
    assert finding().level == Level.FAIL
    assert "check that the database, worker and beat are running" in finding().text


def test_doctor_warns_of_parked_objects():
    parked()
    assert finding().level == Level.WARN
