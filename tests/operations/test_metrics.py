import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from leadgen.events.models import Cursor, ParkedEvent
from leadgen.events.services import emit
from leadgen.operations.collectors import ledger
from leadgen.operations.tasks import measure
from tests.factories import make_form, make_submission, make_team

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scraped(client):
    def scrape():
        lines = client.get("/metrics").content.decode().splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))

    return scrape


def test_metrics_count_submissions_by_place(scraped):
    form = make_form()
    make_submission(form)
    make_submission(form, state="quarantined", reasons=["flood"])
    make_submission(form, parked_at=timezone.now())
    told = scraped()
    assert told['leadgen_submissions{state="waiting"}'] == "1.0"
    assert told["leadgen_submissions_quarantined"] == "1.0"
    assert told["leadgen_submissions_parked"] == "1.0"


def test_metrics_show_the_age_of_the_oldest_waiting(scraped):
    form = make_form()
    make_submission(form, received_at=timezone.now() - timedelta(minutes=5))
    make_submission(form)
    assert 300 <= float(scraped()["leadgen_submissions_oldest_waiting_seconds"]) < 320


@pytest.mark.parametrize(("due_in", "age"), [(100, 0), (-60, 60)])
def test_wait_of_a_failed_submission_starts_at_next_attempt(scraped, due_in, age):
    now = timezone.now()
    old, due = now - timedelta(minutes=5), now + timedelta(seconds=due_in)
    make_submission(make_form(), received_at=old, attempts=3, next_at=due)
    assert age <= float(scraped()["leadgen_submissions_oldest_waiting_seconds"]) < age + 20


def test_wait_after_a_temporary_fault_starts_at_receipt(scraped):
    now = timezone.now()
    due = now + timedelta(seconds=30)
    make_submission(make_form(), received_at=now - timedelta(minutes=5), next_at=due)
    assert 300 <= float(scraped()["leadgen_submissions_oldest_waiting_seconds"]) < 320


def test_wait_beyond_all_pauses_starts_at_receipt(scraped):
    now = timezone.now()
    due = now + timedelta(seconds=30)
    make_submission(make_form(), received_at=now - timedelta(hours=1), attempts=1, next_at=due)
    assert 3600 <= float(scraped()["leadgen_submissions_oldest_waiting_seconds"]) < 3620


def test_nothing_waiting_has_no_age(scraped):
    assert scraped()["leadgen_submissions_oldest_waiting_seconds"] == "0.0"


def test_unaccounted_gauge_exists_after_a_measurement(scraped):
    make_submission(state="processed")
    assert "leadgen_submissions_unaccounted" not in scraped()
    measure()
    assert scraped()["leadgen_submissions_unaccounted"] == "1.0"


def test_metrics_show_lag_and_parked_events_of_a_consumer(scraped):
    event = emit("team.added", make_team())
    Cursor.objects.create(consumer="mail")
    ParkedEvent.objects.create(consumer="mail", event=event, error="no")
    told = scraped()
    assert told['leadgen_events_parked{consumer="mail"}'] == "1.0"
    assert float(told['leadgen_consumer_lag_seconds{consumer="mail"}']) > 0


def test_requests_are_counted(client, scraped):
    client.get("/no/such/page")
    assert 'leadgen_requests_total{method="GET",route="unmatched",status="404"}' in scraped()


def test_own_counters_are_served_without_the_database(scraped, monkeypatch):
    def away():
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(ledger, "_read", away)
    told = scraped()
    assert told["leadgen_ledger_readable"] == "0.0"
    assert "python_info" in " ".join(told)


def test_metrics_need_the_token_when_one_is_set(client, settings):
    settings.METRICS_TOKEN = "a-long-token"
    assert client.get("/metrics").status_code == 401
    wrong = client.get("/metrics", headers={"Authorization": "Bearer another"})
    assert wrong.status_code == 401
    right = client.get("/metrics", headers={"Authorization": "Bearer a-long-token"})
    assert right.status_code == 200


def test_counts_of_several_processes_are_added_up(client, monkeypatch, tmp_path):
    count = "from leadgen.capture.metrics import NUDGES; NUDGES.labels('stuck').inc()"
    shared = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", count], env=shared, check=True)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert b'leadgen_nudges_total{outcome="stuck"} 2.0' in client.get("/metrics").content


def test_live_gauges_read_small_indexes_only():
    with CaptureQueriesContext(connection) as seen:
        ledger._read()
    statements = [query["sql"] for query in seen if "capture_submission" in query["sql"]]
    assert len(statements) == 3
    assert all("state" in sql or "parked_at" in sql for sql in statements)
