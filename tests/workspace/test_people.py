import pytest
from django.urls import reverse

from leadgen.accounts.models import User
from leadgen.accounts.roles import Role
from leadgen.events.models import Event
from tests.factories import make_lead, make_team, make_user

pytestmark = pytest.mark.django_db


def page_of(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


def form_data(user, **changes):
    fields = {
        "name": user.name,
        "email": user.email,
        "role": user.role,
        "team": user.team_id or "",
        "visibility": user.visibility,
        "is_active": "on",
        "time_zone": "",
    }
    return {**fields, **changes}


def test_an_administrator_adds_a_person_who_can_log_in(browse, client):
    team = make_team()
    data = {
        "name": "Grace Example",
        "email": "Grace@Example.com",
        "role": Role.SALES_REP,
        "team": team.pk,
        "usable_password": "true",
        "password1": "a-long-word-9182",
        "password2": "a-long-word-9182",
    }

    browse(make_user(Role.ADMIN)).post(reverse("admin:accounts_user_add"), data)

    client.logout()
    assert User.objects.get(email="grace@example.com").team == team
    log_in = {"login": "GRACE@example.com", "password": "a-long-word-9182"}
    assert client.post(reverse("account_login"), log_in).status_code == 302


def test_changing_a_role_writes_an_event(browse):
    boss, rep = make_user(Role.ADMIN), make_user()

    browse(boss).post(page_of(rep), form_data(rep, role=Role.SALES_MANAGER))

    rep.refresh_from_db()
    assert rep.role == Role.SALES_MANAGER
    assert Event.objects.get(kind="user.changed", subject_id=str(rep.pk)).actor == boss


def test_an_administrator_cannot_lower_or_lock_out_themselves(browse):
    boss = make_user(Role.ADMIN)

    browse(boss).post(page_of(boss), form_data(boss, role=Role.VIEWER, is_active=""))

    boss.refresh_from_db()
    assert boss.role == Role.ADMIN
    assert boss.is_active


@pytest.mark.parametrize("change", [{"is_active": ""}, {"role": Role.VIEWER}])
def test_page_requires_a_handover_of_open_leads(browse, change):
    rep, colleague = make_user(takes_leads=True), make_user()
    lead = make_lead(rep)
    client = browse(make_user(Role.ADMIN))

    refused = client.post(page_of(rep), form_data(rep, takes_leads="on", **change))
    assert User.objects.working().filter(pk=rep.pk).exists()
    assert "1 lead and 0 tasks. Choose where they go." in refused.content.decode()

    sent = form_data(rep, takes_leads="on", handover=colleague.pk, **change)
    client.post(page_of(rep), sent)
    rep.refresh_from_db()
    lead.refresh_from_db()
    assert not rep.works_leads
    assert not rep.takes_leads
    assert lead.owner == colleague


def test_question_for_open_work_is_beside_the_access(browse):
    rep = make_user()
    make_lead(rep)

    html = browse(make_user(Role.ADMIN)).get(page_of(rep)).text

    assert html.index('name="is_active"') < html.index('name="handover"')
    assert html.index('name="handover"') < html.index('name="takes_leads"')


def test_page_without_open_work_has_no_handover_field(browse):
    rep, client = make_user(), browse(make_user(Role.ADMIN))
    assert 'name="handover"' not in client.get(page_of(rep)).content.decode()
    client.post(page_of(rep), form_data(rep, is_active=""))
    rep.refresh_from_db()
    assert not rep.is_active


def test_new_leads_are_refused_to_a_role_that_reads(browse):
    viewer, client = make_user(Role.VIEWER), browse(make_user(Role.ADMIN))
    page = client.post(page_of(viewer), form_data(viewer, takes_leads="on"))
    viewer.refresh_from_db()
    assert not viewer.takes_leads
    assert "cannot work leads" in page.content.decode()
    word = "a-long-word-9182"
    data = {"name": "New", "email": "new@example.com", "role": Role.MARKETER, "takes_leads": "on"}
    data |= {"usable_password": "true", "password1": word, "password2": word}
    page = client.post(reverse("admin:accounts_user_add"), data)
    assert "cannot work leads" in page.content.decode()
    assert not User.objects.filter(email="new@example.com").exists()


def test_manager_reads_the_page_of_a_person_with_open_leads(browse):
    rep = make_user()
    make_lead(rep)
    assert browse(make_user(Role.SALES_MANAGER)).get(page_of(rep)).status_code == 200


@pytest.mark.parametrize("role", [Role.SALES_MANAGER, Role.SALES_REP, Role.MARKETER])
def test_other_roles_cannot_change_people(browse, role):
    rep = make_user()

    answer = browse(make_user(role)).post(page_of(rep), form_data(rep, role=Role.ADMIN))

    assert answer.status_code == 403
    rep.refresh_from_db()
    assert rep.role == Role.SALES_REP


def test_people_cannot_be_deleted(browse):
    rep = make_user()
    address = reverse("admin:accounts_user_delete", args=[rep.pk])

    assert browse(make_user(Role.ADMIN)).post(address, {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=rep.pk).exists()


def test_a_manager_cannot_set_passwords(browse):
    rep = make_user()
    address = reverse("admin:auth_user_password_change", args=[rep.pk])

    assert browse(make_user(Role.SALES_MANAGER)).get(address).status_code == 403
    assert browse(make_user(Role.ADMIN)).get(address).status_code == 200


def test_each_role_changes_its_own_password(browse):
    rep = make_user()
    data = {
        "old_password": "secret-word",
        "new_password1": "another-word-551",
        "new_password2": "another-word-551",
    }

    browse(rep).post(reverse("admin:password_change"), data)

    rep.refresh_from_db()
    assert rep.check_password("another-word-551")
