"""A person with a browser sends the form while what keeps it is away."""

from contextlib import contextmanager
from uuid import uuid4

import pytest

from tests.flows.conftest import browser  # noqa: F401 - a fixture

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.slow_faults,
    pytest.mark.xdist_group("faults"),
]

MESSAGE = "Forty seats, please. By Friday."


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def page(request, browser, roles, system):  # noqa: F811
    """The form, filled in and not sent yet."""
    opened = browser.new_context(java_script_enabled=request.param).new_page()
    opened.goto(f"{roles.url}/f/{system.slug}")
    opened.get_by_label("Your name").fill("Ada Example")
    opened.get_by_label("Work email").fill(f"{uuid4()}@example.com")
    opened.get_by_label("How can we help?").fill(MESSAGE)
    opened.wait_for_timeout(2_100)  # a person takes longer than the screening's two seconds
    return opened


@contextmanager
def unavailable(server):
    server.kill()
    yield
    server.start()


@contextmanager
def in_the_way(folder):
    """The storage fails: its folder is a file."""
    aside = folder.rename(folder.with_name("aside"))
    folder.write_text("in the way")
    yield
    folder.unlink()
    aside.rename(folder)


def send(page):
    page.get_by_role("button", name="Send").click()


def ledger_rows(system, email):
    """State and message of what the ledger has from this address, once nothing waits."""
    assert system.settled().returncode == 0
    return system.server.query(
        "SELECT state, answers->>'message' FROM capture_submission"
        f" WHERE answers->>'email' = '{email}'"
    )


def test_visitor_is_thanked_without_postgresql(system, server, page):
    email = page.get_by_label("Work email").input_value()
    with unavailable(server):
        send(page)
        page.get_by_role("heading", name="Thank you").wait_for()
        receipt = page.url.rpartition("receipt=")[2]
        assert f"{receipt}.json" in system.spooled()
    assert ledger_rows(system, email) == [("processed", MESSAGE)]


def test_page_resends_answers_once_after_a_full_outage(system, server, page):
    email = page.get_by_label("Work email").input_value()
    with unavailable(server), in_the_way(system.storage):
        send(page)
        page.get_by_text("They are still here").filter(visible=True).first.wait_for()
        assert page.get_by_label("Work email").input_value() == email
        assert page.get_by_label("How can we help?").input_value() == MESSAGE
        assert page.get_by_role("heading", name="Thank you").count() == 0
    send(page)
    page.get_by_role("heading", name="Thank you").wait_for()
    assert ledger_rows(system, email) == [("processed", MESSAGE)]
