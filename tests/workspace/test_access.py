import pytest
from django.urls import reverse

from leadgen.accounts.roles import Role
from tests.factories import make_form, make_lead, make_submission, make_user

pytestmark = pytest.mark.django_db

PAGES = {
    "admin:index": {*Role},
    "admin:leads_lead_changelist": {*Role},
    "admin:leads_contact_changelist": {*Role},
    "admin:leads_company_changelist": {*Role},
    "admin:leads_task_changelist": {*Role},
    "admin:leads_campaign_changelist": {*Role},
    "admin:leads_pipeline_changelist": {*Role},
    "admin:capture_submission_changelist": {*Role},
    "admin:forms_form_changelist": {*Role},
    "admin:leads_campaign_add": {Role.ADMIN, Role.MARKETER},
    "admin:leads_pipeline_add": {Role.ADMIN, Role.SALES_MANAGER},
    "admin:accounts_user_changelist": {Role.ADMIN, Role.SALES_MANAGER},
    "admin:accounts_team_changelist": {Role.ADMIN, Role.SALES_MANAGER},
    "admin:accounts_user_add": {Role.ADMIN},
    "admin:accounts_team_add": {Role.ADMIN},
    "admin:events_event_changelist": {Role.ADMIN},
    "admin:leads_lead_add": set(),
    "admin:leads_contact_add": set(),
    "admin:capture_submission_add": set(),
    "admin:events_event_add": set(),
    "admin:password_change": {*Role},
}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("page", list(PAGES))
def test_each_page_answers_the_roles_it_is_for(browse, page, role):
    answer = browse(make_user(role)).get(reverse(page))

    assert answer.status_code == (200 if role in PAGES[page] else 403)


@pytest.mark.parametrize("role", list(Role))
def test_pages_with_rows_answer_every_role(browse, role):
    user = make_user(role, takes_leads=True)
    lead = make_lead(user)
    submission = make_submission(make_form(), state="quarantined", reasons=["honeypot"])
    client = browse(user)

    assert client.get(reverse("admin:leads_lead_change", args=[lead.pk])).status_code == 200
    assert (
        client.get(reverse("admin:leads_contact_change", args=[lead.contact_id])).status_code == 200
    )
    seen = client.get(reverse("admin:capture_submission_change", args=[submission.pk])).status_code
    assert seen == (404 if role == Role.SALES_REP else 200)


def test_logged_out_user_is_sent_to_the_log_in(client):
    answer = client.get(reverse("admin:leads_lead_changelist"))

    assert answer.status_code == 302
    assert answer.url.startswith(reverse("admin:login"))


def test_a_person_switched_off_is_shown_out(browse):
    user = make_user()
    client = browse(user)
    user.is_active = False
    user.save()

    assert client.get(reverse("admin:index")).status_code == 302
