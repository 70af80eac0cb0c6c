"""Two people edit one row: each page is read from its HTML and posted as a browser posts it."""

from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from leadgen.accounts.models import User
from leadgen.accounts.roles import Role
from leadgen.events.models import Event
from leadgen.forms.models import Field, Form
from leadgen.leads.models import Pipeline, Task
from tests.factories import make_form, make_lead, make_pipeline, make_team, make_user

pytestmark = pytest.mark.django_db


class Inputs(HTMLParser):
    """The values that a browser sends for the page's form."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._select = self._text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "textarea":
            self._text, self.values[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self.values[self._select] = value
        elif tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
            self.values[name] = value or ("on" if given.get("type") == "checkbox" else "")

    def handle_endtag(self, tag: str) -> None:
        self._text = "" if tag == "textarea" else self._text

    def handle_data(self, data: str) -> None:
        if self._text:
            # HTML drops the first line end of a textarea; browsers send CRLF.
            text = data.removeprefix("\r\n").removeprefix("\n")
            self.values[self._text] += text.replace("\r\n", "\n").replace("\n", "\r\n")


def form_values(page: str) -> dict[str, str]:
    buttons = ("_save", "_continue", "_addanother", "_saveasnew")
    values = Inputs(page).values
    return {k: v for k, v in values.items() if k not in buttons and "__prefix__" not in k}


class Page:
    """The page of one row, opened by one person."""

    def __init__(self, client: Client, row: Any) -> None:
        meta = row._meta
        self.client = client
        self.address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
        self.values = form_values(client.get(self.address).text)

    def save(self, **changes: str) -> str:
        """Post the page with these changes; return the page of a refusal, or an empty text."""
        answer = self.client.post(self.address, {**self.values, **changes})
        if answer.status_code == 302:
            return ""
        self.values = form_values(answer.text)
        return answer.text


@pytest.fixture
def boss(client):
    client.force_login(make_user(Role.ADMIN, name="Ada"))
    return client


def draft(**values: str) -> Form:
    form = Form.objects.create(title="Talk to us", slug="talk", **values)
    for position, name in enumerate(("email", "size")):
        row = {"name": name, "kind": "text", "label": name.title(), "position": position}
        Field.objects.create(form=form, **row)
    return form


def row_of(page: Page, prefix: str, text: str) -> str:
    """The prefix of the inline row that shows this text, such as ``fields-0``."""
    names = (k for k, v in page.values.items() if v == text and k.startswith(f"{prefix}-"))
    return next(names).rsplit("-", 1)[0]


def two_pages(client: Client, row: Any) -> tuple[Page, Page]:
    return Page(client, row), Page(client, row)


CASES: dict[str, tuple[Callable[[], Any], dict[str, str], dict[str, str]]] = {
    "form": (draft, {"title": "Call us"}, {"intro": "Hello"}),
    "task": (lambda: make_task(), {"title": "Send offer"}, {"due_at_0": "2030-01-02"}),
    "person": (make_user, {"name": "Bob"}, {"time_zone": "Europe/Berlin"}),
}


def make_task() -> Task:
    person = make_user()
    return Task.objects.create(lead=make_lead(person), title="Call", owner=person)


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize("swapped", [False, True])
def test_older_page_keeps_what_a_colleague_changed(boss, case, swapped):
    make, *edits = CASES[case]
    row = make()
    first, second = two_pages(boss, row)
    mine, theirs = edits[::-1] if swapped else edits
    extra = {"due_at_1": "10:00:00"}
    theirs, mine = (each | extra if "due_at_0" in each else each for each in (theirs, mine))

    assert second.save(**theirs) == ""
    assert first.save(**mine) == ""

    values = Page(boss, row).values
    assert {name: values[name] for name in mine | theirs} == mine | theirs


@pytest.mark.parametrize(
    ("make", "name"),
    [(draft, "title"), (make_pipeline, "name"), (make_user, "name"), (make_team, "name")],
)
def test_field_that_both_changed_is_refused_with_both_values(boss, make, name):
    row = make()
    first, second = two_pages(boss, row)
    second.save(**{name: "Theirs"})

    page = first.save(**{name: "Mine"})

    assert "This was changed to “Theirs” while this page was open." in page
    assert "replace it by “Mine”" in page
    assert first.values[name] == "Mine"
    row.refresh_from_db()
    assert getattr(row, name) == "Theirs"

    assert first.save() == ""
    row.refresh_from_db()
    assert getattr(row, name) == "Mine"


def test_same_value_of_both_is_no_conflict(boss):
    form = draft()
    first, second = two_pages(boss, form)
    second.save(title="Call us")
    assert first.save(title="Call us", intro="Hello") == ""


def test_date_that_both_changed_is_refused_until_saved_again(boss):
    task = make_task()
    first, second = two_pages(boss, task)
    second.save(due_at_0="2030-01-02", due_at_1="10:00:00")

    page = first.save(due_at_0="2031-03-04", due_at_1="11:00:00")

    assert "This was changed to “Jan. 2, 2030, 10 a.m.”" in page
    assert first.save() == ""
    task.refresh_from_db()
    assert task.due_at == datetime(2031, 3, 4, 11, tzinfo=UTC)


def test_refusal_for_another_field_keeps_what_was_typed(boss):
    task = make_task()
    page = Page(boss, task)
    assert "This field is required." in page.save(
        title="", due_at_0="2030-01-02", due_at_1="10:00:00"
    )
    assert page.save(title="Call") == ""
    task.refresh_from_db()
    assert task.due_at == datetime(2030, 1, 2, 10, tzinfo=UTC)


def test_stored_line_ends_of_a_program_are_no_conflict(boss):
    form = draft(intro="One\nTwo")
    page = Page(boss, form)
    assert page.save(intro="One\r\nTwo\r\nThree") == ""
    form.refresh_from_db()
    assert form.intro == "One\r\nTwo\r\nThree"


def test_older_page_of_a_form_keeps_changes_of_its_fields(boss):
    form = draft()
    first, second = two_pages(boss, form)
    second.save(**{f"{row_of(second, 'fields', 'size')}-label": "People"})

    assert first.save(**{f"{row_of(first, 'fields', 'size')}-help": "Roughly"}) == ""

    field = form.fields.get(name="size")
    assert (field.label, field.help) == ("People", "Roughly")


def test_label_that_both_changed_is_refused_with_both_values(boss):
    form = draft()
    first, second = two_pages(boss, form)
    second.save(**{f"{row_of(second, 'fields', 'size')}-label": "People"})

    page = first.save(**{f"{row_of(first, 'fields', 'size')}-label": "Staff"})

    assert "This was changed to “People”" in page
    assert first.save() == ""
    assert form.fields.get(name="size").label == "Staff"


@pytest.mark.parametrize(
    ("make", "prefix", "text", "first_field"),
    [(draft, "fields", "Size", "title"), (make_pipeline, "stages", "Talking", "name")],
)
def test_row_that_a_colleague_removed_is_named(boss, make, prefix, text, first_field):
    row = make()
    first, second = two_pages(boss, row)
    second.save(**{f"{row_of(second, prefix, text)}-DELETE": "on"})
    assert getattr(row, prefix).count() == len(second_rows(second, prefix)) - 1

    page = first.save(**{first_field: "Other"})

    assert f"“{text}” was removed while this page was open." in page
    assert first.values[first_field] == "Other"
    assert first.save() == ""
    row.refresh_from_db()
    assert getattr(row, first_field) == "Other"
    assert getattr(row, prefix).count() == len(second_rows(second, prefix))


def second_rows(page: Page, prefix: str) -> list[str]:
    return [k for k in page.values if k.startswith(f"{prefix}-") and k.endswith("-id")]


def test_text_typed_into_a_removed_row_is_kept(boss):
    form = draft()
    first, second = two_pages(boss, form)
    second.save(**{f"{row_of(second, 'fields', 'email')}-DELETE": "on"})

    page = first.save(**{f"{row_of(first, 'fields', 'email')}-label": "Your address"})

    assert "“Email” was removed" in page
    assert "Your address" in first.values.values()
    assert first.save() == ""
    assert sorted(form.fields.values_list("label", flat=True)) == ["Size", "Your address"]


def test_row_removed_by_both_stays_removed(boss):
    form = draft()
    first, second = two_pages(boss, form)
    second.save(**{f"{row_of(second, 'fields', 'Size')}-DELETE": "on"})
    assert first.save(**{f"{row_of(first, 'fields', 'Size')}-DELETE": "on"}) == ""
    assert [field.name for field in form.fields.all()] == ["email"]


def test_row_that_a_colleague_added_stays(boss):
    pipeline = make_pipeline()
    page = Page(boss, pipeline)
    pipeline.stages.create(name="Demo", position=9)
    assert page.save(name="Deals") == ""
    assert pipeline.stages.filter(name="Demo").exists()


@pytest.mark.parametrize(("name", "new_type"), [("Talking", "won"), ("Lost", "open")])
def test_page_refuses_another_type_of_a_stage_with_leads(boss, name, new_type):
    pipeline = make_pipeline()
    make_lead(stage=pipeline.stages.get(name=name))
    page = Page(boss, pipeline)

    text = page.save(**{f"{row_of(page, 'stages', name)}-type": new_type})

    assert f"1 lead is in the stage “{name}”." in text
    assert not Event.objects.filter(kind__startswith="stage.").exists()


def test_page_changes_the_type_of_a_stage_without_leads(boss):
    pipeline: Pipeline = make_pipeline()
    page = Page(boss, pipeline)
    assert page.save(**{f"{row_of(page, 'stages', 'Talking')}-type": "won"}) == ""
    event = Event.objects.get(kind="stage.changed")
    assert event.data == {"changes": ["type"]}
    assert event.author.label == "Ada"


def test_page_of_more_than_1000_inputs_is_saved(boss):
    form = Form.objects.create(title="Long", slug="long")
    Field.objects.bulk_create(
        Field(form=form, name=f"f{n}", kind="text", label=f"F{n}", position=n) for n in range(40)
    )
    page = Page(boss, form)
    assert page.save(title="Longer") == ""
    assert Event.objects.get(kind="form.changed").data == {"changes": ["title"]}


def test_person_page_keeps_the_colleagues_change_of_role(boss):
    person: User = make_user(Role.SALES_REP)
    first, second = two_pages(boss, person)
    second.save(role=Role.VIEWER.value)
    assert first.save(name="Bob") == ""
    person.refresh_from_db()
    assert (person.role, person.name) == (Role.VIEWER, "Bob")


def test_published_form_is_merged_before_it_is_published_again(boss):
    form = make_form(slug="live")
    first, second = two_pages(boss, form)
    second.save(title="New title")
    first.save(intro="Hello")
    form.refresh_from_db()
    assert (form.title, form.intro) == ("New title", "Hello")


@pytest.mark.parametrize(
    "hostile",
    [
        {"fields-0-id": "9" * 5000},
        {"fields-0-id": ""},
        {"fields-" + "9" * 5000 + "-label": "x", "fields-0-id": "0"},
        {"fields-TOTAL_FORMS": "1", "fields-INITIAL_FORMS": "999999"},
        {"fields-INITIAL_FORMS": "-1"},
        {"initial-title": "\0", "title": "x"},
        {"fields-0-id": "0", "initial-fields-0-label": "<b>"},
    ],
)
def test_forged_rows_and_former_values_get_an_answer(boss, hostile):
    form = draft()
    page = Page(boss, form)
    page.save(**hostile)
    assert form.fields.count() >= 2


def test_page_refuses_a_pipeline_without_open_stages(boss):
    page = Page(boss, make_pipeline())
    edits = {f"{row_of(page, 'stages', name)}-type": "lost" for name in ("New", "Talking")}
    assert "Keep at least one stage of the type Open" in page.save(**edits)


def test_name_that_a_colleague_used_meanwhile_is_refused(boss):
    pipeline = make_pipeline()
    page = Page(boss, pipeline)
    pipeline.stages.create(name="Demo", position=9)
    text = page.save(**{f"{row_of(page, 'stages', 'Talking')}-name": "Demo"})
    assert "“Demo” was added while this page was open." in text
    assert pipeline.stages.filter(name="Talking").exists()
