"""Answers at the limits of their fields reach a lead, and old rows are set right once."""

from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from leadgen.accounts.roles import Role
from leadgen.capture.models import Submission
from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.forms.format.fields import KINDS
from leadgen.forms.format.validation import parse, validate
from leadgen.forms.page import form_page
from leadgen.leads.intake.batches import BatchOutcome, drain
from leadgen.leads.models import Campaign, Lead
from tests.factories import make_form, make_lead, make_pipeline, make_submissions, make_user
from tests.forms.samples import ask, form_of
from tests.nasty import DATES, MOMENTS, NUMBERS, TEXTS

pytestmark = pytest.mark.django_db

ZONES = ("Pacific/Auckland", "America/New_York", "Pacific/Kiritimati")
WIDE = Definition(
    title="Everything",
    fields=(
        FieldDefinition("name", "text", "Name", fills="name"),
        FieldDefinition("email", "email", "Email", fills="email"),
        FieldDefinition("phone", "phone", "Phone", fills="phone", max_length=250),
        FieldDefinition("company", "text", "Company", fills="company"),
        FieldDefinition("job", "text", "Job", fills="job_title", max_length=20_000),
        FieldDefinition("message", "long_text", "Message", fills="message"),
        FieldDefinition("born", "date", "Born"),
        FieldDefinition("many", "number", "How many"),
    ),
)
# Valid by the form, longer than the contact's columns.
LIMITS: list[dict[str, Any]] = [
    {
        "name": "n" * 500,
        "email": f"{'e' * 64}@{'d' * 60}.{'d' * 60}.{'d' * 55}.example.com",
        "phone": "+44 20 7946 0958" + " " * 200 + "ext. 12345678901234567890",
        "company": "İ" * 500,
        "job": "j" * 20_000,
        "message": "m" * 10_000,
        "born": "0001-01-01",
        "many": 2**53 - 1,
    },
    {"name": "\u202e\x01" * 250, "born": "9999-12-31", "many": 1e-300},
    {"name": "\U0010ffff" * 500, "company": "\u0130\u0131ß" * 100, "born": "1930-02-28"},
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_accepts_or_refuses_unusual_answers(kind):
    form = form_of(ask(kind))
    numbers = [float("inf"), float("nan"), 10**400, -(2**63) - 1, -0.0]
    for value in (*DATES, *MOMENTS, *NUMBERS, *TEXTS, *numbers, [], {}, [None], [[["x"]]]):
        cleaned, errors = validate(form, {"answer": value})
        assert bool(errors) != ("answer" in cleaned) or value in ([], ""), value
        if isinstance(value, str):
            assert form_page(form, values={"answer": [value]}).encode()
            assert validate(form, parse(form, {"answer": [value]}))


@pytest.mark.parametrize("name", ["minimum", "maximum", "default"])
@pytest.mark.parametrize("kind", ["date", "number", "text", "phone", "choice"])
def test_draft_with_unusual_bounds_is_shown_and_validated(kind, name):
    for value in (*DATES, *NUMBERS, *TEXTS):
        field = ask(kind, **{name: value[:40]})
        assert form_page(form_of(field)).encode()
        assert all(isinstance(flaw, str) for flaw in KINDS[kind].flaws(field))


def test_answers_at_their_limits_are_processed_unchanged(client):
    make_pipeline()
    for answers in LIMITS:
        assert validate(WIDE, answers)[1] == {}
    make_submissions(make_form(WIDE), LIMITS)

    assert drain() == BatchOutcome(processed=len(LIMITS))

    first = Submission.objects.order_by("received_at")[0]
    lead = Lead.objects.get(links__submission=first)
    assert first.answers == LIMITS[0]
    assert lead.contact.name == "n" * 199 + "…"
    assert lead.contact.phone == "+442079460958;ext=12345678901234567890"
    client.force_login(make_user(Role.ADMIN))
    page = client.get(reverse("admin:leads_lead_change", args=[lead.pk])).text
    assert "n" * 500 in page
    assert "j" * 20_000 in page


@pytest.mark.parametrize("zone", ZONES)
def test_dates_of_any_century_read_back_as_they_were_sent(client, zone):
    make_pipeline()
    make_submissions(make_form(WIDE), [{"born": day} for day in ("0001-01-01", "9999-12-31")])
    drain()
    client.force_login(make_user(Role.ADMIN, time_zone=zone))

    pages = [
        client.get(reverse("admin:leads_lead_change", args=[lead.pk]))
        for lead in Lead.objects.all()
    ]

    assert {page.status_code for page in pages} == {200}
    assert all(any(day in page.text for page in pages) for day in ("0001-01-01", "9999-12-31"))


def test_rows_out_of_bounds_are_clamped_before_they_are_checked():
    clamps = import_module("leadgen.leads.migrations.0006_clamp_old_rows")
    names = ("starts", "ends", "budget")
    lead = make_lead()
    for title in ("infinity", "-infinity", "10000-01-01 04:59+00", "2026-05-04 10:30+00"):
        lead.tasks.create(title=title)
    Campaign.objects.create(name="Spring", utm_campaign="spring")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE leads_task DROP CONSTRAINT task_due_in_range")
        for name in names:
            cursor.execute(f"ALTER TABLE leads_campaign DROP CONSTRAINT campaign_{name}_in_range")
        cursor.execute("UPDATE leads_task SET due_at = title::timestamptz")
        cursor.execute("UPDATE leads_campaign SET ends_on = 'infinity', budget = 'NaN'")
        cursor.execute(clamps.CLAMP_TASKS)
        for column in ("starts_on", "ends_on"):
            cursor.execute(clamps.CLAMP_DAYS.format(column))
        cursor.execute(clamps.DROP_BUDGETS)

    days = [f"{task.due_at:%Y-%m-%d}" for task in lead.tasks.order_by("id")]
    campaign = Campaign.objects.get()
    assert days == ["2100-12-30", "1970-01-02", "2100-12-30", "2026-05-04"]
    assert (campaign.starts_on, str(campaign.ends_on), campaign.budget) == (
        None,
        "2100-12-31",
        None,
    )
