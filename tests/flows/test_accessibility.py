import pytest

from leadgen.accounts.roles import Role
from leadgen.leads import services as leads
from tests import factories
from tests.flows.test_visitor_to_lead import log_in

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("stack")]

RUN = """() => axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})"""


def violations(page, axe):
    """What axe-core finds against WCAG 2.2 AA, as rule and first element."""
    page.evaluate(axe)
    found = page.evaluate(RUN)["violations"]
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


PAGES = ["", "leads/lead/", "leads/task/", "leads/contact/", "capture/submission/", "forms/form/"]


def test_the_workspace_meets_wcag(browser, stack, axe):
    admin = factories.make_user(Role.ADMIN)
    lead = factories.make_lead(admin, source="google")
    leads.add_note(lead, "Called, will call back.", actor=admin)
    leads.add_task(lead, "Send the offer", due_at=None, owner=None, actor=admin)
    page = log_in(browser, stack, admin)
    troubles = {}
    for address in [*PAGES, f"leads/lead/{lead.pk}/change/"]:
        page.goto(f"{stack.url}/admin/{address}")
        troubles[address] = violations(page, axe)
    assert troubles == {address: [] for address in troubles}
