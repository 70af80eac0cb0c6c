import json
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
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
    "connect-src 'self'; form-action 'self'; base-uri 'none'"
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


class Server(ThreadingHTTPServer):
    """A form at every address but those of ``pages``, and its thanks; ``posted`` are the posts."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.posted: list[dict[str, list[str]]] = []
        self.pages: dict[str, str] = {}


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path.startswith("/static/"):
            kind = "text/css" if path.endswith(".css") else "text/javascript"
            return self._answer(kind, (STATIC / path.removeprefix("/static/")).read_bytes())
        page = thanks_page(FORM, "1") if path.endswith("/thanks") else form_page(FORM)
        body = self.server.pages.get(path, page).encode()
        return self._answer("text/html; charset=utf-8", body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.posted.append(parse_qs(body, keep_blank_values=True))
        self.send_response(303)
        self.send_header("Location", f"{self.path.partition('?')[0]}/thanks")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    with Server() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def launched(chromium, server):
    with sync_playwright() as playwright:
        flags = [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            f"--host-resolver-rules=MAP forms.example.com:80 127.0.0.1:{server.server_port}",
        ]
        with closing(playwright.chromium.launch(executable_path=chromium, args=flags)) as browser:
            yield browser


@pytest.fixture
def posted(server):
    server.posted.clear()
    return server.posted


@pytest.fixture
def page(launched, posted):
    """A visitor's window; what it posts is kept in ``posted`` and answered with thanks."""
    context = launched.new_context()
    window = context.new_page()
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
    page.goto(f"{SITE}/f/a?UTM_Source=newsletter&utm_source=second&GCLID=abc&other=1")
    page.goto(f"{SITE}/f/b?utm_source=later")
    send(page)
    touch = json.loads(posted[0]["_first_touch"][0])

    assert touch["utm"] == {"source": "newsletter"}
    assert touch["click_ids"] == {"gclid": "abc"}
    assert touch["page_url"].startswith(f"{SITE}/f/a?")
    assert posted[0]["_page_url"] == [f"{SITE}/f/b?utm_source=later"]
    assert int(posted[0]["_elapsed_ms"][0]) > 0


def test_typed_text_survives_a_reload_until_it_is_sent(page):
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


def test_repeated_submit_sends_one_post(page, posted):
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


def test_long_words_wrap_on_a_phone(page, server):
    long = Definition(
        "A form",
        (
            FieldDefinition("size", "choice", "Size", options=(Option("l", "W" * 70),)),
            FieldDefinition("news", "consent", "N", wording=f"https://example.com/{'x' * 110}"),
        ),
    )
    errors = {"news": ["Please tick this box to go on."]}
    pages = {"form": form_page(long), "errors": form_page(long, values={}, errors=errors)}
    page.set_viewport_size({"width": 390, "height": 800})
    for name, body in pages.items():
        server.pages[f"/{name}"] = body
        page.goto(f"{SITE}/{name}")
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_script_is_small():
    assert (STATIC / "leadgen" / "hosted.js").stat().st_size < 8192
