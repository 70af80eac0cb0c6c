import time

import pytest
from playwright.sync_api import expect

from leadgen.leads.models import Campaign, Lead
from tests import factories
from tests.flows.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("stack")]

ARRIVAL = "?utm_source=newsletter&utm_medium=email&utm_campaign=Spring&gclid=Cj0KCQ"


def send_the_form(browser, stack, slug, *, javascript):
    context = browser.new_context(java_script_enabled=javascript, locale="en-GB")
    page = context.new_page()
    page.goto(f"{stack.url}/f/{slug}{ARRIVAL}", referer="https://partner.example.com/offers")
    page.get_by_label("Your name").fill("Ada Example")
    page.get_by_label("Work email").fill("Ada@Example.com")
    page.get_by_label("Phone").fill("+44 20 7946 0018")
    page.get_by_label("How can we help?").fill("Forty seats, please.\nBy Friday.")
    page.wait_for_timeout(2_100)  # a person takes longer than the screening's two seconds
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Thank you").wait_for()
    context.close()


def log_in(browser, stack, user):
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{stack.url}/admin/login/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password", exact=True).fill("secret-word")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{stack.url}/admin/")
    return page


def seconds_to_the_workspace(browser, stack, rep, *, javascript=True):
    """Send a form, look at its lead; return the seconds between the two."""
    factories.make_pipeline()
    form = factories.make_form()
    campaign = Campaign.objects.create(name="Spring fair", utm_campaign="spring")
    admin = log_in(browser, stack, rep)
    send_the_form(browser, stack, form.slug, javascript=javascript)
    sent = time.monotonic()
    eventually(lambda: Lead.objects.exists(), seconds=5)
    admin.goto(f"{stack.url}/admin/leads/lead/")
    admin.get_by_role("link", name="Ada Example").first.click()
    body = admin.locator("body")
    for text in ("Ada@Example.com", "newsletter", "Cj0KCQ", "Spring fair", "Robin Rep"):
        # A click does not wait for the page behind a link, and that page shows its text by and by.
        expect(body).to_contain_text(text, ignore_case=True, use_inner_text=True)
    seconds = time.monotonic() - sent
    lead = Lead.objects.get()
    assert (lead.owner, lead.campaign, lead.source, lead.medium) == (
        rep,
        campaign,
        "newsletter",
        "email",
    )
    context = lead.links.get().submission.context
    assert context["referrer"].startswith("https://partner.example.com/")
    return seconds


def test_form_is_a_lead_in_the_workspace_within_five_seconds(browser, stack, rep):
    assert seconds_to_the_workspace(browser, stack, rep) < 5


def test_form_without_javascript_is_a_lead_within_five_seconds(browser, stack, rep):
    assert seconds_to_the_workspace(browser, stack, rep, javascript=False) < 5


def test_form_on_rabbitmq_and_s3_is_a_lead_within_five_seconds(browser, cloud_stack, rep):
    assert seconds_to_the_workspace(browser, cloud_stack, rep) < 5
