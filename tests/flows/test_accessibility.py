import pytest

from leadgen.accounts.roles import Role
from leadgen.capture.models import Submission
from leadgen.leads import services as leads
from leadgen.leads.models import Campaign
from tests import factories
from tests.flows.test_visitor_to_lead import log_in

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("stack")]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page, axe):
    """What axe-core finds against WCAG 2.2 AA, as rule and first element."""
    page.wait_for_load_state()  # what is not there yet cannot be found wanting
    page.evaluate(axe)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_visitors_pages_meet_wcag(browser, stack, axe, colours, width):
    form = factories.make_form()
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=colours, bypass_csp=True
    )
    page = context.new_page()
    page.goto(f"{stack.url}/f/{form.slug}")
    assert violations(page, axe) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("form").evaluate("form => { form.noValidate = true }")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("alert").wait_for()
    assert violations(page, axe) == []
    page.get_by_label("Your name").fill("Ada Example")
    page.get_by_label("Work email").fill("ada@example.com")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Thank you").wait_for()
    assert violations(page, axe) == []


LISTS = [
    "",
    "leads/lead/",
    "leads/lead/?q=nobody",
    "leads/task/?view=open",
    "leads/contact/",
    "leads/company/",
    "leads/campaign/",
    "leads/pipeline/",
    "capture/submission/",
    "capture/submission/?view=all",
    "forms/form/",
    "forms/form/add/",
    "accounts/user/",
    "accounts/user/add/",
    "accounts/team/",
    "events/event/",
    "password_change/",
    "leads/campaign/add/",
]


def one_of_everything(admin):
    """Rows for every page, and the addresses of the pages about one row."""
    lead = factories.make_lead(admin, source="google", message="W" * 300)
    leads.add_note(lead, "Called, will call back. " + "Z" * 300, actor=admin)
    leads.add_task(lead, "Send the offer", due_at=None, owner=None, actor=admin)
    campaign = Campaign.objects.create(name="Spring fair", utm_campaign="spring")
    held = factories.make_submission(
        state=Submission.State.QUARANTINED, reasons=["honeypot"], raw={"name": "W" * 300}
    )
    rows = {
        "leads/lead": lead,
        "leads/task": lead.tasks.get(),
        "leads/contact": lead.contact,
        "leads/campaign": campaign,
        "leads/pipeline": lead.pipeline,
        "capture/submission": held,
        "forms/form": held.form,
        "accounts/user": admin,
    }
    pages = [f"{page}/{row.pk}/change/" for page, row in rows.items()]
    return [*pages, f"leads/campaign/{campaign.pk}/delete/"]


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_workspace_meets_wcag(browser, stack, axe, colours, width):
    admin = factories.make_user(Role.ADMIN)
    pages = [*LISTS, *one_of_everything(admin)]
    page = log_in(browser, stack, admin)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=colours)
    troubles = {}
    for address in pages:
        page.goto(f"{stack.url}/admin/{address}")
        troubles[address] = violations(page, axe)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            troubles[address].append("wider than the window")
    assert troubles == {address: [] for address in pages}


@pytest.mark.parametrize("width", [1280, 390])
def test_long_address_of_a_person_is_shown_whole(browser, stack, width):
    admin = factories.make_user(Role.ADMIN)
    lead = factories.make_lead(admin)
    lead.contact.email = "priya.yilmaz-winterbourne@sales.oldmillbakeries.example.com"
    lead.contact.save()
    page = log_in(browser, stack, admin)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{stack.url}/admin/leads/lead/{lead.pk}/change/")
    chip = page.locator(".ws-chip", has_text=lead.contact.email)
    assert chip.evaluate("chip => chip.scrollWidth <= chip.clientWidth")


def test_the_menus_of_the_workspace_open_by_keyboard(browser, stack):
    page = log_in(browser, stack, factories.make_user(Role.ADMIN, name="Ada Admin"))
    page.get_by_role("button", name="Ada Admin").press("Enter")
    page.get_by_role("button", name="Log out").wait_for()
    page.goto(f"{stack.url}/admin/leads/lead/")
    page.get_by_role("button", name="Filters").press("Enter")
    page.get_by_role("button", name="Apply Filters").wait_for()
