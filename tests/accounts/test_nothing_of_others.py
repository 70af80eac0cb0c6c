import pytest
from django.urls import reverse

from leadgen.accounts.roles import Role
from leadgen.leads.models import Task
from tests.factories import make_lead

pytestmark = pytest.mark.django_db

SEES = {
    Role.ADMIN: {"own", "team", "foreign"},
    Role.MARKETER: {"own", "team", "foreign"},
    Role.SALES_MANAGER: {"own", "team"},
    Role.SALES_REP: {"own"},
    Role.VIEWER: {"own", "team", "foreign"},
}
LISTS = {
    "leads.lead": "?view=all",
    "leads.contact": "",
    "leads.company": "",
    "leads.task": "?view=open",
    "capture.submission": "?view=all",
}


@pytest.mark.parametrize("model", LISTS)
@pytest.mark.parametrize("role", Role)
def test_lists_show_the_rows_that_a_person_sees_and_no_others(
    role, model, client, make_person, places
):
    user = make_person(role)
    client.force_login(user)
    places(user)
    url = reverse(f"admin:{model.replace('.', '_')}_changelist") + LISTS[model]
    page = client.get(url).content.decode()
    suffix = {"leads.company": "Company", "leads.task": "Task"}.get(model, "Person")
    shown = {word for word in ("own", "team", "foreign") if f"{word.title()} {suffix}" in page}
    assert shown == SEES[role]


@pytest.mark.parametrize("query", ["Foreign", "foreign@example.com", "Foreign Company"])
def test_search_returns_no_rows_of_others(query, client, make_person, places):
    user = make_person(Role.SALES_REP)
    client.force_login(user)
    places(user)
    for url in ("/admin/search/?s=", "/admin/leads/lead/?q=", "/admin/leads/contact/?q="):
        page = client.get(url + query).content.decode()
        assert "Foreign Person" not in page


def test_page_of_a_shared_contact_hides_leads_of_others(client, make_person, places):
    user = make_person(Role.SALES_REP)
    client.force_login(user)
    place = places(user)["own"]
    hidden = make_lead(make_person(Role.SALES_REP), contact=place.contact)
    page = client.get(reverse("admin:leads_contact_change", args=[place.contact.pk]))
    assert reverse("admin:leads_lead_change", args=[hidden.pk]) not in page.content.decode()


def test_a_bulk_action_touches_only_rows_that_a_person_sees(client, make_person, places):
    user = make_person(Role.SALES_REP)
    client.force_login(user)
    there = places(user)
    chosen = [there["own"].task.pk, there["foreign"].task.pk]
    sent = {"action": "complete", "_selected_action": chosen}
    client.post(reverse("admin:leads_task_changelist") + "?view=open", sent)
    client.post(reverse("admin:leads_task_changelist") + "?view=overdue", sent)
    done = Task.objects.exclude(done_at=None)
    assert list(done) == [there["own"].task]


@pytest.mark.parametrize("role", [Role.MARKETER, Role.VIEWER])
def test_read_only_role_has_no_bulk_action(role, client, make_person, places):
    user = make_person(role)
    client.force_login(user)
    lead = places(user)["foreign"].lead
    sent = {"action": "assign_to_me", "_selected_action": [lead.pk]}
    client.post(reverse("admin:leads_lead_changelist") + "?view=all", sent)
    lead.refresh_from_db()
    assert lead.owner != user
