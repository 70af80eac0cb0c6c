import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from leadgen.accounts.models import User
from leadgen.capture.models import Submission
from leadgen.demo import fill as fill_module
from leadgen.events.models import Cursor, Event
from leadgen.leads.models import Lead, Task
from tests.factories import make_form

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _laptop(settings):
    settings.DEBUG = True


def demo(*arguments):
    out = io.StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


def test_demo_contains_two_months_of_leads_in_all_states():
    assert "admin@example.com" in demo()
    now = timezone.now()
    assert 150 < Lead.objects.count() < 260
    assert set(Lead.objects.values_list("status", flat=True)) >= {
        "assigned",
        "working",
        "converted",
    }
    assert (Submission.objects.quarantined().count(), Submission.objects.parked().count()) == (8, 1)
    assert not Event.objects.filter(at__gt=now).exists()
    assert Task.objects.due_before(now).exists()
    assert Task.objects.open().filter(due_at__gt=now).exists()
    admin = User.objects.get(email="admin@example.com")
    assert admin.check_password("leadgen-demo")


def test_a_second_run_changes_nothing(monkeypatch):
    monkeypatch.setattr(fill_module, "DAYS", 2)
    demo()
    before = Event.objects.count(), Lead.objects.count(), Submission.objects.count()
    assert "exists already" in demo()
    assert (Event.objects.count(), Lead.objects.count(), Submission.objects.count()) == before


def test_leads_of_the_demo_send_no_mail(monkeypatch):
    monkeypatch.setattr(fill_module, "DAYS", 1)
    demo()
    cursor = Cursor.objects.get(consumer="notifications")
    assert Event.objects.filter(kind="lead.assigned").exists()
    assert not Event.objects.after(cursor.transaction, cursor.event_id).exists()


def test_times_of_the_demo_are_consistent(monkeypatch):
    monkeypatch.setattr(fill_module, "DAYS", 12)
    demo()
    for lead in Lead.objects.all():
        times = list(Event.objects.about(lead).order_by("id").values_list("at", flat=True))
        assert times == sorted(times)
        assert lead.last_activity_at == times[-1]
        assert not lead.first_response_at or lead.created_at < lead.first_response_at


def test_existing_forms_are_no_error_for_make_run():
    make_form()
    assert "no demo was added" in demo("--if-empty")
    assert not User.objects.filter(email="admin@example.com").exists()


def test_database_with_forms_is_refused():
    make_form()
    with pytest.raises(CommandError, match="has forms already"):
        demo()
    assert not User.objects.exists()


def test_publicly_known_passwords_need_force_with_debug_off(settings):
    settings.DEBUG = False
    with pytest.raises(CommandError, match="--force"):
        demo()
