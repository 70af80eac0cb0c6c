"""Visits and publications in three engines, with JavaScript and without."""

from urllib.request import urlopen

import pytest

from leadgen.capture.models import Submission
from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.lib.reference import reference_of
from tests.factories import make_form
from tests.flows.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]

EMAIL = FieldDefinition("email", "email", "Email", required=True, fills="email")
NEWS = FieldDefinition("news", "consent", "News", wording="Send me news once a month.")
ASKED = Definition("Asked", (EMAIL, NEWS))
LATER = Definition(
    "Later",
    (
        EMAIL,
        FieldDefinition("story", "text", "Your story", required=True),
        FieldDefinition("news", "consent", "News", wording="Send me news every day."),
    ),
)
NEWS_BOX = "input[name=news]"


@pytest.fixture
def form(server):
    return make_form(ASKED)


@pytest.fixture
def address(server, form):
    return f"{server}/f/{form.slug}"


def send(page, *, email="a@example.com", news=None):
    page.wait_for_selector("#f-email")
    page.fill("#f-email", email)
    if news is not None:
        (page.check if news else page.uncheck)(NEWS_BOX)
    page.click("[type=submit]")
    page.wait_for_selector("[data-sent]")


def text_at(address):
    with urlopen(address, timeout=10) as answer:
        return answer.read().decode()


def rows():
    return list(Submission.objects.order_by("received_at", "id"))


def test_two_visits_with_equal_answers_are_two_submissions(page, address):
    for _ in range(2):
        page.goto(address)
        send(page)
    assert len(rows()) == 2


def test_a_page_restored_by_back_is_the_same_visit(page, address):
    page.goto(address)
    send(page)
    page.go_back()
    send(page)
    assert len(rows()) == 1


def test_each_changed_answer_is_stored_in_order(page, address):
    page.goto(address)
    for news in (True, False, True):
        send(page, news=news)
        page.go_back()
    assert [row.consents[0]["given"] for row in rows()] == [True, False, True]


def test_a_reload_before_sending_is_one_visit(browser, address):
    page, _, has_script = browser
    page.goto(address)
    page.wait_for_selector("#f-email")
    page.fill("#f-email", "a@example.com")
    page.reload()
    page.wait_for_selector("#f-email")
    assert not has_script or page.input_value("#f-email") == "a@example.com"
    send(page)
    assert len(rows()) == 1


def test_next_visitor_gets_an_empty_form(page, server):
    form = make_form(Definition("Asked", (EMAIL, NEWS), redirect_url=f"{server}/health/live"))
    page.goto(f"{server}/f/{form.slug}")
    page.wait_for_selector("#f-email")
    page.fill("#f-email", "a@example.com")
    page.click("[type=submit]")
    page.wait_for_selector("body:not(:has(form))")
    page.goto(f"{server}/f/{form.slug}")
    page.wait_for_selector("#f-email")
    assert page.input_value("#f-email") == ""
    page.reload()
    page.wait_for_selector("#f-email")
    assert page.input_value("#f-email") == ""


def test_a_page_open_while_published_again_keeps_its_version(page, address, form):
    page.goto(address)
    page.wait_for_selector("#f-email")
    form.freeze(LATER)
    send(page, news=True)
    (row,) = rows()
    assert (row.version.number, row.consents[0]["wording"]) == (1, NEWS.wording)
    assert row.consents[0]["given"] is True


def test_a_mistake_shows_the_version_that_was_filled_in(page, address, form):
    page.goto(address)
    page.wait_for_selector("#f-email")
    form.freeze(LATER)
    page.fill("#f-email", "ada@nowhere")
    page.click("[type=submit]")
    page.wait_for_selector(".summary")
    assert page.input_value("#f-email") == "ada@nowhere"
    assert "once a month" in page.content()
    send(page)
    assert [row.version.number for row in rows()] == [1]


def test_page_loaded_before_address_reuse_reaches_its_form(page, address, form):
    page.goto(address)
    page.wait_for_selector("#f-email")
    slug = form.slug
    form.published, form.slug = None, f"{slug}-moved"
    form.save()
    make_form(LATER, slug=slug)
    eventually(lambda: "<h1>Later</h1>" in text_at(address), seconds=10)  # looked up every 2 s
    send(page, news=True)
    (row,) = rows()
    assert (row.form, row.version.number, row.reasons) == (form, 1, ["unpublished"])
    assert row.consents[0]["wording"] == NEWS.wording
    assert reference_of(row.id) in page.content()
