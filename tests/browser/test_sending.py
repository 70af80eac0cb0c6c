"""The way from the form to the thanks: redirects, lost connections, controls, in three engines."""

from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from leadgen.capture.models import Submission
from leadgen.forms.format.definition import Definition, FieldDefinition
from tests.browser.line import Line
from tests.browser.pixels import contrast, rows_of
from tests.factories import make_form
from tests.flows.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]

EMAIL = FieldDefinition("email", "email", "Email", required=True, fills="email")
MESSAGE = FieldDefinition("message", "long_text", "Message")
NEWS = FieldDefinition("news", "consent", "News", wording="Send me news once a month.")
FIELDS = (EMAIL, MESSAGE, NEWS)
TEXT = "A long message, written in a train."
NOTICE = "[data-unsent]:not([hidden])"


class Site(ThreadingHTTPServer):
    """Another website; ``seen`` are the paths that were asked for."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Website)
        self.seen: list[str] = []


class Website(BaseHTTPRequestHandler):
    """A page, a redirect to the website's other host name, a download."""

    server: Site

    def do_GET(self):
        port = self.server.server_port
        if self.path.startswith("/hop"):
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{port}/page")
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
        if self.path.startswith("/paper"):
            self.send_header("Content-Disposition", "attachment; filename=paper.pdf")
        body = b"<title>Elsewhere</title><p id=elsewhere>Here you are."
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.server.seen.append(self.path)

    def log_message(self, *_):
        pass


@pytest.fixture
def website():
    with Site() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def line(server):
    line = Line(server)
    yield line
    line.cut()


@pytest.fixture
def page(browser, server):
    page = browser[0]
    yield page
    page.goto(f"{server}/health/live")


def form_at(address, *fields, **texts):
    form = make_form(Definition("Asked", fields or FIELDS, **texts))
    return f"{address}/f/{form.slug}"


def open_form(page, address, first="#f-email"):
    page.goto(address)
    page.wait_for_selector(first)


def fill_in(page):
    page.fill("#f-email", "ada@example.com")
    page.fill("#f-message", TEXT)


def wait_for_another_address(page, address):
    for _ in range(200):
        if page.url != address:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"still at {address}")


def only_row():
    (row,) = Submission.objects.all()
    return row


@pytest.mark.parametrize("path", ["page", "hop"])
def test_visitor_arrives_at_the_redirect_address(page, server, website, path):
    port = website.server_port
    open_form(page, form_at(server, redirect_url=f"http://127.0.0.1:{port}/{path}"))
    fill_in(page)
    page.click("[type=submit]")
    page.wait_for_selector("#elsewhere")
    assert page.url.endswith("/page")
    assert only_row().answers["message"] == TEXT


def test_visitor_is_thanked_when_the_redirect_is_a_download(page, server, website):
    port = website.server_port
    address = form_at(server, redirect_url=f"http://127.0.0.1:{port}/paper.pdf")
    open_form(page, address)
    fill_in(page)
    page.click("[type=submit]")
    page.wait_for_selector("[data-sent]")
    for _ in range(100):
        if website.seen:
            break
        page.wait_for_timeout(50)
    page.wait_for_selector("[data-sent]")
    assert website.seen[0] == "/paper.pdf"
    open_form(page, address)
    page.reload()
    page.wait_for_selector("#f-email")
    assert page.input_value("#f-email") == ""


def test_text_survives_a_lost_connection_until_it_is_sent(browser, page, line):
    _, _, has_script = browser
    if not has_script:
        pytest.skip("without a script only the browser can keep the text")
    address = form_at(line.url)
    open_form(page, address)
    fill_in(page)
    line.cut()
    page.click("[type=submit]")
    page.wait_for_selector(NOTICE)
    assert page.input_value("#f-message") == TEXT
    line.restore()
    page.goto(f"{line.url}/health/live")
    for visit in (page.goto, page.goto, lambda _: page.reload()):
        visit(address)
        page.wait_for_selector(NOTICE)
        assert (page.input_value("#f-email"), page.input_value("#f-message")) == (
            "ada@example.com",
            TEXT,
        )
    page.click("[type=submit]")
    page.wait_for_selector("[data-sent]")
    assert only_row().answers["message"] == TEXT
    open_form(page, address)
    assert (page.input_value("#f-email"), page.input_value("#f-message")) == ("", "")


def test_post_with_a_lost_answer_is_one_submission(browser, page, line):
    _, _, has_script = browser
    if not has_script:
        pytest.skip("a post without a script is the browser's own")
    open_form(page, form_at(line.url))
    fill_in(page)
    line.is_mute = True
    page.click("[type=submit]")
    page.wait_for_selector(NOTICE)
    eventually(Submission.objects.exists, seconds=10)
    line.is_mute = False
    page.click("[type=submit]")
    page.wait_for_selector("[data-sent]")
    assert only_row().answers["message"] == TEXT


def test_back_after_a_lost_connection_shows_the_typed_text(browser, page, line):
    _, _, has_script = browser
    if has_script:
        pytest.skip("the script stays on the page")
    address = form_at(line.url)
    open_form(page, address)
    fill_in(page)
    line.cut()
    with suppress(Exception):  # Playwright may report the failed navigation of the click
        page.click("[type=submit]")
    wait_for_another_address(page, address)
    line.restore()
    page.go_back()
    page.wait_for_selector("#f-email")
    assert (page.input_value("#f-email"), page.input_value("#f-message")) == (
        "ada@example.com",
        TEXT,
    )
    page.click("[type=submit]")
    page.wait_for_selector("[data-sent]")
    assert only_row().answers["message"] == TEXT


def test_next_person_can_clear_an_unsent_form(browser, page, line):
    _, _, has_script = browser
    if not has_script:
        pytest.skip("without a script nothing is kept")
    address = form_at(line.url)
    open_form(page, address)
    fill_in(page)
    line.cut()
    page.click("[type=submit]")
    page.wait_for_selector(NOTICE)
    line.restore()
    open_form(page, address)
    page.click("[data-clear]")
    assert page.input_value("#f-message") == ""
    page.reload()
    page.wait_for_selector("#f-email")
    assert page.input_value("#f-message") == ""


def test_text_survives_a_mistake(page, server):
    open_form(page, form_at(server))
    fill_in(page)
    page.fill("#f-email", "ada@nowhere")
    page.click("[type=submit]")
    page.wait_for_selector("[role=alert]")
    assert page.input_value("#f-message") == TEXT
    page.fill("#f-email", "ada@example.com")
    page.click("[type=submit]")
    page.wait_for_selector("[data-sent]")
    assert only_row().answers["email"] == "ada@example.com"


def test_choice_can_be_cleared_and_date_stay_empty(page, server):
    again = FieldDefinition("again", "yes_no", "Again?")
    day = FieldDefinition("day", "date", "Day", fills="")
    open_form(page, form_at(server, EMAIL, again, day))
    page.fill("#f-email", "ada@example.com")
    page.check("#f-again")
    page.check("#f-again-none")
    page.click("[type=submit]")
    page.wait_for_selector("[data-sent]")
    assert only_row().answers == {"email": "ada@example.com"}


def test_field_may_be_named_like_a_property_of_the_form(browser, page, server):
    _, _, has_script = browser
    names = ("elements", "append", "submit", "reset", "action", "method", "remove")
    fields = [FieldDefinition(name, "text", name) for name in names]
    open_form(page, form_at(server, *fields) + "?utm_source=ad", "#f-submit")
    for name in names:
        page.fill(f"#f-{name}", name)
    page.click("button[type=submit]")
    page.wait_for_selector("[data-sent]")
    row = only_row()
    assert row.answers == {name: name for name in names}
    assert row.context["utm"]["source"] == "ad"
    assert bool(row.context.get("first_touch")) == has_script


@pytest.mark.parametrize("selector", ["#f-news", "#f-again"])
def test_border_of_a_box_has_enough_contrast(browser, page, server, selector):
    _, _, has_script = browser
    if not has_script:
        pytest.skip("the place of a box is measured by a script")
    again = FieldDefinition("again", "yes_no", "Again?")
    open_form(page, form_at(server, EMAIL, NEWS, again))
    box = page.evaluate(
        "css => { const e = document.querySelector(css); e.scrollIntoView({block: 'center'});"
        " const b = e.getBoundingClientRect(); return [b.x, b.y, b.width, b.height] }",
        selector,
    )
    x, y, width, height = (round(number) for number in box)
    row = rows_of(page.screenshot())[y + height // 2]
    assert contrast(row[x : x + width]) >= 3  # WCAG 1.4.11
