import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from leadgen.events.models import Event
from leadgen.events.services import emit
from leadgen.lib.net.addresses import allowed_networks
from leadgen.operations import doctor, probes
from leadgen.operations.doctor import Level, mask
from leadgen.operations.tasks import measure
from tests.factories import make_submission, make_team

pytestmark = pytest.mark.django_db(transaction=True)


def examine():
    return {finding.subject: finding for finding in doctor.examine()}


def test_development_setup_passes_with_warnings():
    measure()
    printed = StringIO()
    call_command("doctor", stdout=printed)
    assert "FAIL" not in printed.getvalue()
    assert "warn  email        EMAIL_URL=console:// sends no mail" in printed.getvalue()


def test_longest_name_of_a_check_stays_apart_from_its_text():
    printed = StringIO()

    call_command("doctor", stdout=printed)

    assert "transactions none has run" in printed.getvalue()


def test_a_failed_check_ends_the_command_with_an_error(settings):
    settings.BROKER_URL = "amqp://guest:secret-word@127.0.0.1:1//"
    printed = StringIO()
    with pytest.raises(CommandError, match=r"1 of the checks failed\."):
        call_command("doctor", stdout=printed)
    assert "Check BROKER_URL" in printed.getvalue()
    assert "secret-word" not in printed.getvalue()


@pytest.fixture
def database_of_bytes():
    ours = connection.settings_dict["NAME"]
    made = (
        "CREATE DATABASE {} ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc"
        " LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )
    with connection.cursor() as cursor:
        cursor.execute(made.format(f"{ours}_bytes"))
    connection.close()
    connection.settings_dict["NAME"] = f"{ours}_bytes"
    yield
    connection.close()
    connection.settings_dict["NAME"] = ours
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {ours}_bytes")


def test_database_without_utf8_fails(database_of_bytes):
    assert "the encoding is SQL_ASCII" in examine()["database"].text


def test_storage_is_written_read_and_left_clean(tmp_path):
    assert examine()["storage"].level == Level.OK
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_storage_that_cannot_be_written_fails(settings):
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": "/proc/nowhere"},
        }
    }
    found = examine()["storage"]
    assert found.level == Level.FAIL
    assert "Check STORAGE_URL" in found.text


def test_allowed_network_with_metadata_addresses_is_a_warning(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = allowed_networks(["10.0.0.0/8", "0.0.0.0/0:8443"])
    found = [finding for finding in doctor.examine() if finding.subject == "outbound"]
    assert [finding.level for finding in found] == [Level.WARN]
    assert "0.0.0.0/0:8443 covers cloud metadata (169.254.169.254, " in found[0].text


def test_a_public_address_that_is_not_allowed_fails(settings):
    settings.PUBLIC_URL = "https://forms.example.com"
    settings.ALLOWED_HOSTS = ["other.example.com"]
    assert "forms.example.com is not among ALLOWED_HOSTS" in examine()["PUBLIC_URL"].text


def test_waiting_submission_reports_missing_workers():
    make_submission(received_at=timezone.now() - timedelta(minutes=5))
    assert "check that worker and beat are running" in examine()["workers"].text


def test_unaccounted_submissions_fail():
    make_submission(state="processed")
    measure()
    assert examine()["beat"].level == Level.FAIL


def test_event_log_of_another_server_is_reported_and_rebased():
    emit("team.added", make_team())
    Event.objects.update(transaction=2**60)
    assert "rebase_events" in examine()["event log"].text
    call_command("rebase_events", stdout=StringIO())
    assert examine()["event log"].level == Level.OK


def test_a_check_that_hangs_is_a_finding(monkeypatch):
    for_ever = threading.Event()
    monkeypatch.setattr(doctor, "SECONDS", 0.05)
    monkeypatch.setattr(
        doctor, "CHECKS", [("storage", "Check it.", lambda: str(for_ever.wait(30)))]
    )
    found = examine()["storage"]
    for_ever.set()
    assert (found.level, found.text) == (
        Level.FAIL,
        "TimeoutError: no answer within 0.05 seconds Check it.",
    )


def test_unapplied_migrations_are_reported(monkeypatch):
    def waits():
        raise probes.NotMigratedError("2 migrations are not applied, the first is leads.0002_x")

    monkeypatch.setattr(probes, "database", waits)
    assert "run manage.py migrate" in examine()["migrations"].text


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://leadgen:hunter22@db/leadgen is away",
        "key is a-very-secret-key-of-50-characters",
    ],
)
def test_secrets_are_never_printed(settings, text):
    settings.SECRET_KEY = "a-very-secret-key-of-50-characters"
    assert "hunter22" not in mask(text)
    assert settings.SECRET_KEY not in mask(text)
