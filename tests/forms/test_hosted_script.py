import json
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import sync_playwright

from leadgen.forms.format.definition import Definition, FieldDefinition, Option
from leadgen.forms.page import form_page, thanks_page

pytestmark = pytest.mark.browser

STATIC = Path(__file__).resolve().parents[2] / "leadgen" / "forms" / "static"
SITE = "http://forms.example.com"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'"
)
FORM = Definition(
    "A form",
    (
        FieldDefinition("name", "text", "Name"),
        FieldDefinition("message", "long_text", "Message"),
        FieldDefinition(
            "size", "choice", "Size", options=(Option("s", "Small"), Option("l", "Large"))
        ),
        FieldDefinition("news", "consent", "News", wording="Send me news."),
    ),
)


@pytest.fixture(scope="module")
def launched(chromium):
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        with closing(playwright.chromium.launch(executable_path=chromium, args=flags)) as browser:
            yield browser


@pytest.fixture
def posted():
    return []


@pytest.fixture
def page(launched, posted):
    """A visitor's window; what it posts is kept in ``posted`` and answered with thanks."""

    def answer(route):
        path = route.request.url.removeprefix(SITE).partition("?")[0]
        if path.startswith("/static/"):
            return route.fulfill(path=STATIC / path.removeprefix("/static/"))
        if route.request.method == "POST":
            posted.append(parse_qs(route.request.post_data, keep_blank_values=True))
        sent = route.request.method == "POST" or path.endswith("/thanks")
        body = thanks_page(FORM, "1") if sent else form_page(FORM)
        headers = {"Content-Security-Policy": POLICY, "Content-Type": "text/html"}
        return route.fulfill(body=body, headers=headers)

    context = launched.new_context()
    window = context.new_page()
    window.route("**/*", answer)
    complaints: list[str] = []
    window.on("pageerror", lambda error: complaints.append(str(error)))
    window.on("console", lambda message: complaints.append(message.text))
    yield window
    context.close()
    assert complaints == []


def send(page):
    page.click("button[type=submit]")
    page.wait_for_selector("[data-sent]")


def test_the_first_touch_is_remembered_until_a_form_is_sent(page, posted):
    page.goto(f"{SITE}/f/a?utm_source=newsletter&gclid=abc&other=1")
    page.goto(f"{SITE}/f/b?utm_source=later")
    send(page)
    touch = json.loads(posted[0]["_first_touch"][0])

    assert touch["utm"] == {"source": "newsletter"}
    assert touch["click_ids"] == {"gclid": "abc"}
    assert touch["page_url"].startswith(f"{SITE}/f/a?")
    assert posted[0]["_page_url"] == [f"{SITE}/f/b?utm_source=later"]
    assert int(posted[0]["_elapsed_ms"][0]) > 0


def test_what_was_typed_survives_a_reload_until_it_is_sent(page):
    page.goto(f"{SITE}/f/a")
    page.fill("#f-name", "Ada")
    page.fill("#f-message", "Line\nand line")
    page.check("#f-size-1")
    page.check("#f-news")
    page.reload()

    assert page.input_value("#f-name") == "Ada"
    assert page.input_value("#f-message") == "Line\nand line"
    assert page.is_checked("#f-size-1")
    assert page.is_checked("#f-news")
    send(page)
    page.goto(f"{SITE}/f/a/thanks")
    page.goto(f"{SITE}/f/a")
    page.reload()
    assert page.input_value("#f-name") == ""


def test_a_new_visit_starts_with_an_empty_form(page):
    page.goto(f"{SITE}/f/a")
    page.fill("#f-name", "Ada")
    page.goto(f"{SITE}/f/a?again=1")

    assert page.input_value("#f-name") == ""


def test_an_impatient_visitor_sends_once(page, posted):
    page.goto(f"{SITE}/f/a")
    page.evaluate("for (let i = 0; i < 3; i++) document.querySelector('form').requestSubmit()")
    page.wait_for_selector("[data-sent]")

    assert len(posted) == 1


def test_the_form_works_where_storage_is_denied(page, posted):
    page.add_init_script(
        "for (const area of ['localStorage', 'sessionStorage'])"
        " Object.defineProperty(window, area, { get() { throw new Error('denied'); } });"
    )
    page.goto(f"{SITE}/f/a?utm_source=now")
    page.fill("#f-name", "Ada")
    send(page)

    assert posted[0]["name"] == ["Ada"]
    assert json.loads(posted[0]["_first_touch"][0])["utm"] == {"source": "now"}


def test_the_form_works_without_the_script(page, posted):
    page.route("**/hosted.js", lambda route: route.fulfill(body=""))
    page.goto(f"{SITE}/f/a")
    page.fill("#f-name", "Ada")
    send(page)

    assert posted[0] == {"name": ["Ada"], "message": [""], "_url": [""]}


def test_the_script_is_small():
    assert (STATIC / "leadgen" / "hosted.js").stat().st_size < 5632
