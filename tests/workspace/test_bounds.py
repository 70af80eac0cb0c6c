"""Pages survive every date, number and text that users type or that rows contain."""

from urllib.parse import quote

import pytest
from django.contrib import admin
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from leadgen.accounts.roles import Role
from leadgen.leads.models import Task
from tests.controls import Controls
from tests.factories import make_user
from tests.nasty import DATES, MOMENTS, NUMBERS, TEXTS

pytestmark = pytest.mark.django_db

ZONES = ("Pacific/Auckland", "America/New_York", "Pacific/Kiritimati")
MODELS = [model._meta.label_lower for model in admin.site._registry]
# One field at a time, the others right: each must be refused or stored for itself.
FEW = {
    "date": ["9999-12-31", "0001-01-01", "9999-12-31T23:59"],
    "number": ["2147483647", "9223372036854775808", "NaN"],
    "text": ["\x00", "İ" * 200],
    "choice": ["99999999999999999999", "\x00"],
}
# All fields at once, in their every kind of nonsense.
MANY = {"date": [*DATES, *MOMENTS], "number": NUMBERS, "text": TEXTS, "choice": ["\x00"]}


def address(label, page, *args):
    return reverse(f"admin:{label.replace('.', '_')}_{page}", args=args)


@pytest.fixture
def surf(client, place):
    """Return a client of an administrator in Auckland."""
    client.raise_request_exception = False
    client.force_login(place["leads.lead"].owner)
    return client


def pages(place, labels=MODELS):
    yield reverse("admin:index")
    for label in labels:
        yield address(label, "changelist")
        yield address(label, "change", place[label].pk)
        for view in ("all", "open", "done", "waiting"):
            if label in ("leads.lead", "leads.task", "capture.submission"):
                yield f"{address(label, 'changelist')}?view={view}"


def unreadable(client, places, labels=MODELS):
    """Return the pages that fail for a user in one of the zones."""
    team = places["accounts.team"]
    for zone in ZONES:
        client.force_login(make_user(Role.ADMIN, time_zone=zone, team=team))
        for page in pages(places, labels):
            if (status := client.get(page).status_code) != 200:
                yield zone, page, status


def entered(value):
    """A text as Django reads it from a request: what is no UTF-8 is replaced."""
    return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def failing(client, page, data, **nasty):
    sent = {name: entered(value) for name, value in nasty.items()}
    status = client.post(page, {**data, **sent, "_continue": "1"}).status_code
    return [(page, {name: value[:30] for name, value in nasty.items()}, status)] * (status >= 500)


@pytest.mark.parametrize("label", sorted({*MODELS} - {"leads.lead", "capture.submission"}))
def test_every_form_accepts_or_refuses_typed_values(surf, place, label):
    failed = []
    for page in (address(label, "change", place[label].pk), address(label, "add")):
        answer = surf.get(page)
        if answer.status_code != 200:
            continue  # people and companies are not added, events not changed
        controls = Controls(answer.text)
        fields = dict(controls.fields())
        for at in range(len(TEXTS)):
            nasty = {name: MANY[kind][at % len(MANY[kind])] for name, kind in fields.items()}
            failed += failing(surf, page, controls.values, **nasty)
        for name, kind in fields.items() if "change" in page else ():
            for value in FEW[kind]:
                failed += failing(surf, page, controls.values, **{name: value})

    assert failed == []
    assert list(unreadable(surf, place, [label])) == []


def test_every_lead_verb_accepts_or_refuses_typed_values(surf, place):
    lead, failed = place["leads.lead"], []
    for verb, data in {
        "move": {"stage": NUMBERS},
        "assign": {"owner": NUMBERS},
        "note": {"body": TEXTS},
        "task": {"title": TEXTS, "due_at": [*DATES, *MOMENTS], "owner": NUMBERS},
    }.items():
        for name, values in data.items():
            right = {"title": "Call"} if verb == "task" else {}
            for value in values:
                page = reverse(f"admin:lead_{verb}", args=[lead.pk])
                failed += failing(surf, page, right, **{name: value})

    assert failed == []
    assert list(unreadable(surf, place, ["leads.lead", "leads.task"])) == []


def test_a_number_that_is_no_rows_is_not_found(surf):
    for label in MODELS:
        for pk in ("99999999999999999999", "-1", "%00", "x"):
            for page in ("change", "delete", "history", "open", "preview"):
                if page in ("open", "preview") and label != "forms.form":
                    continue
                path = address(label, "change", "ROW").replace("ROW/change", f"{pk}/{page}")
                assert surf.get(path).status_code in (302, 403, 404), path
    for verb in ("move", "note", "task/99999999999999999999/done"):
        assert surf.post(f"/admin/leads/lead/99999999999999999999/{verb}/").status_code == 404


def test_a_search_or_page_of_nonsense_still_answers(surf):
    failed = []
    for label in MODELS:
        for name, values in {"q": TEXTS[:-1], "p": NUMBERS, "view": ["\x00"], "o": NUMBERS}.items():
            for value in values[:6]:
                query = f"{name}={quote(value[:2000], errors='surrogatepass')}"
                page = f"{address(label, 'changelist')}?{query}"
                status = surf.get(page).status_code
                failed += [(page[:80], status)] * (status >= 500)

    assert failed == []


def test_days_beyond_the_calendar_narrow_a_list_to_its_end(surf, place):
    page, lead = address("leads.lead", "changelist"), place["leads.lead"]
    for first, last, expected in [
        ("0001-01-01", "9999-12-31", [lead]),
        ("9999-12-31", "", []),
        ("", "0001-01-01", []),
    ]:
        query = {"view": "all", "created_at_from": first, "created_at_to": last}
        assert list(surf.get(page, query).context["cl"].result_list) == expected


@pytest.mark.parametrize(
    "cookie", ['"\\000aaaaaaaaaaaa"', "a" * 4000, '"\\377\\376aaaaaaaaa"', "é" * 9]
)
@pytest.mark.parametrize("name", ["sessionid", "csrftoken", "messages"])
def test_a_cookie_of_nonsense_leads_to_the_login(client, name, cookie):
    client.raise_request_exception = False
    page = client.get(reverse("admin:index"), HTTP_COOKIE=f"{name}={cookie}")

    assert page.status_code == 302


def test_a_login_with_nonsense_is_refused(client):
    client.raise_request_exception = False
    for value in map(entered, TEXTS):
        data = {"login": value, "password": value, "next": value}
        # 429: the limit of failures for one network.
        assert client.post(reverse("account_login"), data).status_code in (200, 429)


@pytest.mark.parametrize("due", ["9999-12-31T23:59", "2101-01-01T00:00", "1969-12-31T23:59"])
def test_a_task_out_of_the_calendar_is_refused_and_kept(surf, place, due):
    page = reverse("admin:lead_task", args=[place["leads.lead"].pk])

    answer = surf.post(page, {"title": "Some day", "due_at": due})

    assert answer.status_code == 422
    assert "Due: Enter a date from 1970 to 2100." in answer.text
    assert due in answer.text
    assert not Task.objects.filter(title="Some day").exists()


def test_the_first_and_last_due_date_read_back(surf, place):
    page = reverse("admin:lead_task", args=[place["leads.lead"].pk])
    for zone in ZONES:
        surf.force_login(make_user(Role.ADMIN, time_zone=zone))
        for due in ("1970-01-01T00:00", "2100-12-31T23:59"):
            assert surf.post(page, {"title": zone, "due_at": due}).status_code == 302

    assert Task.objects.filter(title__in=ZONES).count() == 6
    assert list(unreadable(surf, place, ["leads.lead", "leads.task"])) == []


@pytest.mark.parametrize(
    "change",
    [
        "leads_task SET due_at = '9999-12-31 23:59+00'",
        "leads_task SET due_at = 'infinity'",
        "leads_campaign SET starts_on = '0001-01-01'",
        "leads_campaign SET ends_on = '9999-12-31'",
        "leads_campaign SET budget = 'NaN'",
        "leads_campaign SET budget = -1",
        "capture_submission SET submitted_at = '10000-01-01 00:00+00'",
    ],
)
def test_database_refuses_values_that_no_page_can_show(place, change):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {change}")


BOUNDS = {
    "leads_task": ["task_due_in_range"],
    "leads_campaign": [f"campaign_{name}_in_range" for name in ("starts", "ends", "budget")],
    "capture_submission": ["submission_submitted_in_range"],
}
MOMENT_COLUMNS = {
    "leads_task": ["due_at", "done_at", "created_at"],
    "leads_lead": ["created_at", "last_activity_at", "first_response_at", "new_message_at"],
    "leads_contact": ["created_at", "updated_at"],
    "leads_company": ["created_at"],
    "capture_submission": [
        "submitted_at",
        "received_at",
        "released_at",
        "processed_at",
        "parked_at",
    ],
    "events_event": ["at"],
    "forms_formversion": ["published_at"],
    "forms_form": ["updated_at"],
    "accounts_user": ["date_joined", "last_login"],
}


@pytest.mark.parametrize("end", ["9999-12-31 23:59:59.999999+00", "0001-01-01 00:00:00+00"])
def test_row_of_an_earlier_release_breaks_no_page(surf, place, end):
    day, budget = end[:10], "NaN" if end > "5" else "-0.01"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, names in BOUNDS.items():
            for name in names:
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for table, columns in MOMENT_COLUMNS.items():
            # One row at a time is what a person would meet; here all rows hold the end.
            changes = ", ".join(f"{column} = %s" for column in columns)
            cursor.execute(f"UPDATE {table} SET {changes}", [end] * len(columns))
        cursor.execute(
            "UPDATE leads_campaign SET starts_on = %s, ends_on = %s, budget = %s",
            [day, day, budget],
        )
        cursor.execute("UPDATE leads_task SET done_at = NULL")

    assert list(unreadable(surf, place)) == []


@pytest.mark.parametrize("page", ["change", "delete"])
def test_empty_name_of_a_field_is_no_fault(surf, place, page):
    for label in ("leads.task", "leads.campaign"):
        url = address(label, page, place[label].pk)
        assert surf.get(url, {"_to_field": ""}).status_code == 200
        assert surf.post(url, {"_to_field": ""}).status_code < 500
