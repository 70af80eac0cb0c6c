"""Pages need the same number of queries for 2 rows and for 12 (no N+1 queries)."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from leadgen.accounts.roles import Role
from leadgen.events.services import emit
from leadgen.leads.models import (
    Campaign,
    Company,
    Contact,
    Identity,
    Lead,
    LeadSubmission,
    Note,
    Pipeline,
)
from tests.factories import (
    make_form,
    make_lead,
    make_submission,
    make_team,
    make_user,
)

pytestmark = pytest.mark.django_db

FEW, MANY = 2, 12
HOME = reverse("admin:index")
ADMINS = sorted(
    (each for each in admin.site._registry.values() if each.opts.app_label != "auth"), key=str
)


@pytest.fixture
def administrator():
    return make_user(Role.ADMIN, takes_leads=True)


@pytest.fixture
def lead(administrator):
    """The lead whose page is counted."""
    return make_lead(administrator)


def add_rows(number, lead):
    """Add rows of every model, each with related rows of its own, around one lead too."""
    for _ in range(number):
        add_row(lead)


def add_row(lead):
    now, team = timezone.now(), make_team()
    person = make_user(Role.ADMIN, team=team, takes_leads=True)
    form = make_form()
    form.fields.create(name="day", kind="date", label="When", position=1)
    pipeline = Pipeline.objects.create(name=f"Pipeline {person.pk}")
    other = make_lead(
        person,
        contact=make_contact(person),
        source=f"source {person.pk}",
        form=form,
        campaign=Campaign.objects.create(
            name=f"Campaign {person.pk}", utm_campaign=f"campaign-{person.pk}"
        ),
        pipeline=pipeline,
        stage=pipeline.stages.create(name="New", type="open", position=0),
    )
    make_lead(contact=lead.contact)
    make_submission(make_form(), state="quarantined", reasons=["flood"])
    make_submission(make_form(), parked_at=now, last_error="DataError")
    for each in (other, lead):
        add_work(each, person, make_form(), now)


def make_contact(person):
    company = Company.objects.create(name=f"Company {person.pk}")
    return Contact.objects.create(
        name=f"Contact {person.pk}", email=f"contact{person.pk}@example.com", company=company
    )


def add_work(lead, person, form, now):
    sent = make_submission(form, state="processed", processed_at=now)
    LeadSubmission.objects.create(lead=lead, submission=sent, reason="matched")
    Identity.objects.create(contact=lead.contact, kind="email", value=f"{sent.pk}@example.com")
    for due_at, done_at in ((now - timedelta(days=1), None), (now, now)):
        lead.tasks.create(
            title="Call", owner=lead.owner, created_by=person, due_at=due_at, done_at=done_at
        )
    note = Note.objects.create(lead=lead, author=person, body="Called.")
    emit("lead.note_added", lead, actor=person, data={"note": note.pk, "excerpt": "Called."})
    emit("lead.assigned", lead, actor=person, data={"owner": person.pk})


def queries_of(client, address):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = client.get(address)
    assert answer.status_code == 200, address
    return [query["sql"] for query in queries], answer


def grown_queries(client, address, lead):
    """Return the queries for FEW and for MANY rows, and the second answer."""
    add_rows(FEW, lead)
    client.get(address)  # fills the caches of content types and of filters
    few, _ = queries_of(client, address)
    add_rows(MANY - FEW, lead)
    many, answer = queries_of(client, address)
    return few, many, answer


def assert_same(few, many):
    assert len(many) == len(few), [sql for sql in many if many.count(sql) > 1] + many[-5:]


@pytest.mark.parametrize("view", ["", "?view=all", "?view=open"])
@pytest.mark.parametrize("page", ADMINS, ids=str)
def test_list_needs_same_queries_for_many_rows(
    page, view, browse, administrator, lead, monkeypatch
):
    # A list of more than one page reads its keys first, with one statement more.
    monkeypatch.setattr(page, "list_per_page", 1_000)
    address = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist") + view
    few, many, answer = grown_queries(browse(administrator), address, lead)

    assert_same(few, many)
    assert len(answer.context["cl"].result_list) >= MANY


@pytest.mark.parametrize("role", list(Role))
def test_home_needs_same_queries_for_many_rows(role, browse, lead):
    few, many, _ = grown_queries(browse(make_user(role, team=make_team())), HOME, lead)

    assert_same(few, many)


def test_lead_page_needs_same_queries_for_many_rows(browse, administrator, lead):
    address = reverse("admin:leads_lead_change", args=[lead.pk])
    few, many, answer = grown_queries(browse(administrator), address, lead)

    assert_same(few, many)
    assert len(answer.context["open_tasks"]) == MANY
    assert len(answer.context["lines"]) >= MANY


def test_planted_query_per_row_is_found(monkeypatch, browse, administrator, lead):
    monkeypatch.setattr(admin.site._registry[Lead], "list_select_related", ())
    address = reverse("admin:leads_lead_changelist")

    few, many, _ = grown_queries(browse(administrator), address, lead)

    with pytest.raises(AssertionError):
        assert_same(few, many)
