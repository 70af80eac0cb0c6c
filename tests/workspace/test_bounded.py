"""Delete pages and bulk acts touch a limited number of rows, with limits of a few rows here."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import site
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from leadgen.accounts.models import Team
from leadgen.accounts.roles import Role
from leadgen.events.models import Event
from leadgen.forms.models import Form
from leadgen.leads.models import Campaign, Company, Contact, Lead, Pipeline, Stage, Task
from leadgen.lib import deletion, row_limit
from leadgen.workspace import contacts as contact_admin
from leadgen.workspace.kit.bounded_admin import BoundedAdmin, BoundedInline
from tests.factories import (
    make_form,
    make_lead,
    make_pipeline,
    make_submission,
    make_team,
    make_user,
)

pytestmark = pytest.mark.django_db
LIMIT = 5


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    monkeypatch.setattr(row_limit, "MAX_ROWS", LIMIT)


@pytest.fixture
def boss(browse):
    return browse(make_user(Role.ADMIN))


def address(row, page="delete"):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


def delete(client, row):
    return client.post(address(row), {"post": "yes"}, follow=True)


def company_of(people, leads=0):
    company = Company.objects.create(name="Mill")
    for n in range(people):
        contact = Contact.objects.create(name=f"Ada {n}", company=company)
        if n < leads:
            make_lead(contact=contact, company=company)
    return company


def campaign_of(leads):
    campaign = Campaign.objects.create(name="Spring", utm_campaign="spring")
    for _ in range(leads):
        make_lead(campaign=campaign)
    return campaign


def test_delete_page_counts_who_loses_the_row(boss):
    page = boss.get(address(company_of(people=3, leads=1))).text

    assert "Delete “Mill”?" in page
    assert "3 contacts lose this company." in page
    assert "1 lead loses this company." in page


def test_delete_page_names_rows_deleted_with_it(boss):
    pipeline = Pipeline.objects.create(name="Partners")
    for name in ("In", "Out"):
        Stage.objects.create(pipeline=pipeline, name=name)

    assert "2 stages are deleted with it." in boss.get(address(pipeline)).text
    delete(boss, pipeline)
    assert not Stage.objects.filter(pipeline=pipeline.pk).exists()


def test_company_within_the_limit_is_deleted(boss):
    company = company_of(people=3, leads=2)

    answer = delete(boss, company)

    assert "was deleted successfully" in answer.text
    assert Contact.objects.filter(company=None, name__startswith="Ada").count() == 3
    assert Event.objects.get(kind="company.deleted").data["name"] == "Mill"


def test_deleted_company_is_removed_from_the_search(boss):
    delete(boss, company_of(people=2))
    contacts = reverse("admin:leads_contact_changelist")

    assert "Ada 0" not in boss.get(contacts, {"q": "mill"}).text
    assert "Ada 0" in boss.get(contacts, {"q": "ada"}).text


@pytest.mark.parametrize(("people", "leads"), [(LIMIT + 1, 0), (3, 3)])
def test_rows_of_all_relations_count_together(boss, people, leads):
    company = company_of(people, leads)

    page = boss.get(address(company)).text
    delete(boss, company)

    assert "“Mill” cannot be deleted" in page
    assert "At most 5 rows are changed in one request." in page
    assert "Correct its name and website instead" in page
    assert Contact.objects.filter(company=company).count() == people


@pytest.mark.parametrize("count", [LIMIT + 1, LIMIT + 9])
def test_count_beyond_the_limit_is_shown_as_more(boss, count):
    page = boss.get(address(campaign_of(count))).text

    assert "More than 5 leads lose this campaign." in page
    assert "Set its last day instead" in page


def test_count_at_the_limit_is_exact(boss):
    assert "5 leads lose this campaign." in boss.get(address(campaign_of(LIMIT))).text


def test_pipeline_with_leads_is_not_deleted(boss):
    lead = make_lead()

    page = delete(boss, lead.pipeline).text

    assert "1 lead needs this pipeline." in page
    assert "Let new leads start in another pipeline instead" in page
    assert Pipeline.objects.filter(pk=lead.pipeline_id).exists()


def test_form_with_answers_is_not_deleted(boss):
    form = make_form()
    for _ in range(LIMIT + 3):
        make_submission(form)

    page = delete(boss, form).text

    assert "More than 5 submissions need this form." in page
    assert "1 form version needs this form." in page
    assert Form.objects.filter(pk=form.pk).exists()


def test_team_with_many_leads_is_not_deleted(boss):
    team = make_team()
    rep = make_user(team=team)
    for _ in range(LIMIT):
        make_lead(rep)

    page = delete(boss, team).text

    assert "5 leads lose this team." in page
    assert "1 person loses this team." in page
    assert Team.objects.filter(pk=team.pk).exists()


def test_second_of_two_deletions_finds_nothing(boss):
    team = make_team()
    delete(boss, team)

    assert "Perhaps it was deleted?" in delete(boss, team).text
    assert Event.objects.filter(kind="team.deleted").count() == 1


def test_row_deleted_meanwhile_is_reported(boss, monkeypatch):
    team = make_team()
    lock = BoundedAdmin._lock

    def too_late(self, row):
        Team.objects.filter(pk=row.pk).delete()
        lock(self, row)

    monkeypatch.setattr(BoundedAdmin, "_lock", too_late)

    assert "This team was deleted in the meantime." in delete(boss, team).text
    assert not Event.objects.filter(kind="team.deleted").exists()


def test_lead_that_arrives_during_a_deletion_is_reported(boss, monkeypatch):
    pipeline = make_pipeline()
    plan = deletion.plan

    def counted_too_early(row):
        found = plan(row)
        make_lead()
        return found

    monkeypatch.setattr(deletion, "plan", counted_too_early)

    assert "Another record began to need this one in the meantime." in delete(boss, pipeline).text
    assert Pipeline.objects.filter(pk=pipeline.pk).exists()


def stages_page(pipeline, *, remove):
    stages = list(pipeline.stages.order_by("position", "id"))
    data = {"name": pipeline.name, "is_default": "on"}
    data |= {"stages-TOTAL_FORMS": len(stages), "stages-INITIAL_FORMS": len(stages)}
    for n, stage in enumerate(stages):
        values = {"id": stage.pk, "pipeline": pipeline.pk, "name": stage.name}
        values |= {"type": stage.type, "position": stage.position}
        data |= {f"stages-{n}-{key}": value for key, value in values.items()}
        if stage.name == remove:
            data[f"stages-{n}-DELETE"] = "on"
    return data


def test_removal_of_a_stage_with_leads_is_refused(boss):
    pipeline = make_pipeline()
    for _ in range(LIMIT + 1):
        make_lead(stage=pipeline.stages.get(name="Lost"))

    page = boss.post(address(pipeline, "change"), stages_page(pipeline, remove="Lost")).text

    assert "“Lost” cannot be removed. More than 5 leads need this stage." in page
    assert "Move its leads to another stage first, or rename it." in page
    assert pipeline.stages.filter(name="Lost").exists()


def test_stage_without_leads_is_removed(boss):
    pipeline = make_pipeline()

    boss.post(address(pipeline, "change"), stages_page(pipeline, remove="Lost"))

    assert not pipeline.stages.filter(name="Lost").exists()


def test_company_of_many_people_keeps_its_name(boss):
    company = company_of(people=LIMIT + 1)

    page = boss.post(address(company, "change"), {"name": "Grinders"}).text
    site = {"name": "Mill", "website": "https://www.example.com/"}
    boss.post(address(company, "change"), site)

    company.refresh_from_db()
    assert "More than 5 people are found by this name" in page
    assert (company.name, company.website) == ("Mill", "https://www.example.com/")


def test_page_of_a_company_marks_its_list_as_incomplete(boss, monkeypatch):
    monkeypatch.setattr(contact_admin, "_MANY", 2)
    company = company_of(people=3)

    page = boss.get(address(company, "change")).text

    assert page.count(">Ada ") == 2
    assert "There are more: search the contacts for this company." in page


def test_page_of_a_contact_marks_its_lists_as_incomplete(boss, monkeypatch):
    monkeypatch.setattr(contact_admin, "_MANY", 2)
    lead = make_lead()
    for n in range(3):
        make_lead(contact=lead.contact)
        lead.contact.identities.create(kind="email", value=f"ada{n}@example.com")

    page = boss.get(address(lead.contact, "change")).text

    assert "There are more: search the leads for this person." in page
    assert "ada0@example.com, ada1@example.com and more" in page


@pytest.mark.parametrize("fields", [{}, {"email": "ada@example.com"}, {"phone": "+44 1"}])
def test_search_text_of_many_is_that_of_one(fields):
    company = Company.objects.create(name="Mill & Sons")
    contact = Contact.objects.create(name="Ada", company=company, **fields)
    alone = contact.search

    Contact.objects.update(search="")
    Contact.objects.filter(pk=contact.pk).reindex()

    contact.refresh_from_db()
    assert contact.search == alone


ACTS = {
    "assign": ("leads_lead", "assign_to_me", "view=all"),
    "complete": ("leads_task", "complete", "view=open"),
    "release": ("capture_submission", "release_chosen", "view=quarantine"),
    "retry": ("capture_submission", "retry_chosen", "view=parked"),
}
_NOW = timezone.now()
ROWS: dict[str, Callable[[], Any]] = {
    "assign": make_lead,
    "complete": lambda: make_lead().tasks.create(title="Call"),
    "release": lambda: make_submission(state="quarantined", reasons=["honeypot"]),
    "retry": lambda: make_submission(parked_at=_NOW - timedelta(days=1), attempts=5),
}


def act(client, name):
    model, action, query = ACTS[name]
    rows = apps.get_model(model.replace("_", ".")).objects
    data = {"action": action, "select_across": "1", "_selected_action": [rows.all()[0].pk]}
    return client.post(f"{reverse(f'admin:{model}_changelist')}?{query}", data)


@pytest.mark.parametrize("name", list(ACTS))
def test_act_on_too_many_rows_changes_nothing(boss, name):
    for _ in range(LIMIT + 1):
        ROWS[name]()

    page = boss.get(act(boss, name).url).text

    assert "match, and one act changes at most 5. Nothing was changed." in page
    assert not Event.objects.exists()


@pytest.mark.parametrize("name", list(ACTS))
def test_act_on_as_many_rows_as_allowed_changes_all(boss, name):
    for _ in range(LIMIT):
        ROWS[name]()

    act(boss, name)

    assert Event.objects.count() == LIMIT


@pytest.mark.parametrize("name", list(ACTS))
def test_act_on_12_rows_runs_the_statements_of_2(boss, name, monkeypatch):
    monkeypatch.setattr(row_limit, "MAX_ROWS", 100)
    counts = []
    for rows in (2, 12):
        for _ in range(rows):
            ROWS[name]()
        with CaptureQueriesContext(connection) as statements:
            act(boss, name)
        counts.append(len(statements))
        Task.objects.all().delete()
        Lead.objects.all().delete()

    assert counts[0] == counts[1]


@pytest.mark.parametrize("make", [company_of, campaign_of])
def test_deletion_of_12_rows_runs_the_statements_of_2(boss, make, monkeypatch):
    monkeypatch.setattr(row_limit, "MAX_ROWS", 100)
    counts = []
    for rows in (2, 12):
        row = make(rows)
        with CaptureQueriesContext(connection) as statements:
            boss.get(address(row))
            delete(boss, row)
        counts.append(len(statements))

    assert counts[0] == counts[1]


def test_bar_offers_all_only_within_the_limit(boss):
    leads = reverse("admin:leads_lead_changelist")
    for _ in range(LIMIT):
        make_lead()
    assert "To select all, narrow the list" not in boss.get(leads).text
    make_lead()
    assert "To select all, narrow the list to at most 5 rows." in boss.get(leads).text


def test_every_page_and_inline_row_is_bounded():
    pages = [each for each in site._registry.values() if each.model._meta.app_label != "auth"]
    inlines = [inline for page in pages for inline in page.inlines]

    assert pages
    assert all(isinstance(page, BoundedAdmin) for page in pages)
    assert all(issubclass(each, BoundedInline) or not each.can_delete for each in inlines)
    assert not any(isinstance(page, admin.ModelAdmin) and page.list_editable for page in pages)


def _foreign_keys():
    for model in apps.get_models():
        if model.__module__.startswith("leadgen.") and not model._meta.proxy:
            for field in model._meta.concrete_fields:
                if field.many_to_one or field.one_to_one:
                    yield model._meta.db_table, field.column


@pytest.mark.parametrize(("table", "column"), list(_foreign_keys()))
def test_every_foreign_key_is_found_by_an_index(table, column):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid "
            "AND a.attnum = i.indkey[0] WHERE i.indrelid = %s::regclass AND a.attname = %s "
            "AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) LIKE '%%IS NOT NULL%%')",
            [table, column],
        )
        (found,) = cursor.fetchone()

    assert found
