import re

import pytest
from django.urls import reverse
from django.utils.html import escape

from leadgen.accounts.roles import Role
from leadgen.capture.models import Submission
from leadgen.events.services import emit
from leadgen.leads import services
from leadgen.leads.models import Company, Contact
from tests import factories

pytestmark = pytest.mark.django_db

LEADS = "/admin/leads/lead/"
TASKS = "/admin/leads/task/"


@pytest.fixture
def rep():
    return factories.make_user()


def undo(client, page):
    """Press the button of the message that says what was done."""
    (form,) = re.finditer(
        r'<form method="post" action="([^"]+)" class="ws-undo">(.*?)</form>', page
    )
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[2]))
    return client.post(form[1], fields, follow=True).content.decode()


def text(client, address, **query):
    return client.get(address, query).content.decode()


def test_move_is_undone_from_its_message(client, rep):
    lead = factories.make_lead(rep)
    first, second = lead.pipeline.stages.all()[:2]
    client.force_login(rep)
    sent = client.post(reverse("admin:lead_move", args=[lead.pk]), {"stage": second.pk})
    page = undo(client, text(client, sent.url))
    lead.refresh_from_db()
    assert lead.stage == first
    assert f"Moved back to {first.name}." in page


def test_assignment_is_undone_from_its_message(client):
    admin, colleague = factories.make_user(Role.ADMIN), factories.make_user()
    lead = factories.make_lead()
    client.force_login(admin)
    sent = client.post(reverse("admin:lead_assign", args=[lead.pk]), {"owner": colleague.pk})
    undo(client, text(client, sent.url))
    lead.refresh_from_db()
    assert lead.owner is None


def test_task_done_in_the_list_returns_to_the_same_list(client, rep):
    lead = factories.make_lead(rep)
    task = services.add_task(lead, "Call back", due_at=None, owner=None, actor=rep)
    client.force_login(rep)
    address = reverse("admin:lead_task_done", args=[lead.pk, task.pk])
    sent = client.post(address, headers={"referer": f"http://testserver{TASKS}?view=open"})
    assert sent.url == f"{TASKS}?view=open"
    undo(client, text(client, sent.url))
    task.refresh_from_db()
    assert task.done_at is None


def test_a_foreign_referer_leads_nowhere_else(client, rep):
    lead = factories.make_lead(rep)
    client.force_login(rep)
    address = reverse("admin:lead_note", args=[lead.pk])
    sent = client.post(address, {"body": "Hello"}, headers={"referer": "https://evil.example.com/"})
    assert sent.url == reverse("admin:leads_lead_change", args=[lead.pk])


def test_submission_that_opened_a_lead_is_shown_once(client, rep):
    lead = factories.make_lead(rep)
    for kind, receipt in (("created", "1"), ("submission_added", "1"), ("submission_added", "2")):
        emit(f"lead.{kind}", lead, actor=None, data={"form": "Contact", "receipt": receipt})
    client.force_login(rep)
    page = text(client, reverse("admin:leads_lead_change", args=[lead.pk]))
    assert page.count("Lead created from the form") == 1
    assert page.count("Sent the form") == 1


def test_active_filters_are_named_and_removable(client):
    admin = factories.make_user(Role.ADMIN, name="Ada Owner")
    lead = factories.make_lead(admin)
    client.force_login(admin)
    asked = {
        "view": "all",
        "stage": lead.stage_id,
        "owner": admin.pk,
        "created_at_from": "2026-01-31",
    }
    page = text(client, LEADS, **asked)
    assert "Remove the filter stage: New" in page
    assert "Remove the filter owner: Ada Owner" in page
    assert "2026-01-31 – " in page
    assert f'href="?created_at_from=2026-01-31&amp;owner={admin.pk}&amp;view=all"' in page


def test_list_without_matches_shows_the_search(client):
    client.force_login(factories.make_user(Role.ADMIN))
    page = text(client, LEADS, q="<b>nobody</b>")
    assert escape("“<b>nobody</b>”") in page
    assert "Clear search and filters" in page


def test_empty_list_explains_how_it_fills(client):
    client.force_login(factories.make_user(Role.ADMIN))
    assert "Your forms add leads" in text(client, LEADS)


def test_a_viewer_reads_the_company_of_a_contact(client):
    mill = Company.objects.create(name="Mill and Sons")
    contact = Contact.objects.create(name="Ada", email="ada@example.com", company=mill)
    client.force_login(factories.make_user(Role.VIEWER))
    page = text(client, reverse("admin:leads_contact_change", args=[contact.pk]))
    assert "Mill and Sons" in page


def test_company_shows_only_visible_people(client, rep):
    mill = Company.objects.create(name="Mill and Sons")
    people = [Contact.objects.create(name=name, company=mill) for name in ("Ada", "Bob")]
    factories.make_lead(rep, contact=people[0])
    client.force_login(rep)
    page = text(client, reverse("admin:leads_company_change", args=[mill.pk]))
    assert "Ada" in page
    assert "Bob" not in page


def test_a_submission_is_called_by_its_sender(client):
    held = factories.make_submission(state=Submission.State.QUARANTINED, reasons=["honeypot"])
    client.force_login(factories.make_user(Role.ADMIN))
    page = text(client, reverse("admin:capture_submission_change", args=[held.pk]))
    assert "<title> Ada | Leadgen</title>" in page


def test_refused_page_names_the_administrator(client):
    client.force_login(factories.make_user(Role.VIEWER))
    refused = client.get("/admin/accounts/user/")
    assert refused.status_code == 403
    assert "An administrator can change what you may do." in refused.content.decode()


def test_unknown_page_explains_itself_in_plain_text(client, settings):
    settings.DEBUG = False
    client.force_login(factories.make_user(Role.ADMIN))
    missing = client.get("/admin/leads/lead/999999/change/")
    assert missing.status_code == 404
    assert "There is nothing at this address" in missing.content.decode()


def test_a_form_that_was_published_is_not_offered_for_deletion(client):
    form = factories.make_form()
    client.force_login(factories.make_user(Role.ADMIN))
    page = text(client, reverse("admin:forms_form_change", args=[form.pk]))
    assert "Delete form" not in page
