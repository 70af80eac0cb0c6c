import json
from urllib.request import Request, urlopen

import pytest

from leadgen.accounts.roles import Role
from leadgen.capture.models import Submission
from leadgen.capture.services import release
from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.leads.models import Lead
from tests import factories
from tests.flows.test_visitor_to_lead import log_in
from tests.flows.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("stack")]

FIELDS = 12
FORM = Definition(
    title="Anything goes",
    fields=(
        FieldDefinition("name", "text", "Name", fills="name"),
        FieldDefinition("company", "text", "Company", fills="company"),
        *(FieldDefinition(f"text_{n}", "long_text", f"Text {n}") for n in range(2, FIELDS)),
    ),
)
NAMES = [field.name for field in FORM.fields]


def post(stack, form, fields):
    url = f"{stack.url}/api/v1/public/forms/{form.public_id}/submissions"
    body = {
        "fields": fields,
        "context": {"utm": {"source": fields["text_2"], "campaign": fields["text_3"]}},
    }
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=30) as answer:
        return json.load(answer)["receipt"]


def seen_as_sent(page, answers):
    """The strings that the page does not show to the letter (a browser folds CR into LF)."""
    text = page.evaluate("document.body.textContent").replace("\r\n", "\n").replace("\r", "\n")
    return [answer for answer in answers if answer.replace("\r", "\n") not in text]


def listen(page):
    """Collect whatever shows that a text was run, or that a page broke."""
    troubles: list[str] = []

    def dismiss(dialog):
        troubles.append(dialog.message)
        dialog.dismiss()

    def note(line):
        if line.type == "error":
            troubles.append(line.text)

    page.on("dialog", dismiss)
    page.on("console", note)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    return troubles


def test_pages_show_naughty_strings_without_executing_them(browser, stack, naughty_strings):
    admin_user = factories.make_user(Role.ADMIN, email="admin@example.com")
    factories.make_pipeline()
    form = factories.make_form(FORM)
    lines = [line for line in naughty_strings if line.strip()]
    sent = {}
    for start in range(0, len(lines), FIELDS):
        chunk = lines[start : start + FIELDS]
        chunk += ["filler"] * (FIELDS - len(chunk))
        fields = dict(zip(NAMES, chunk, strict=True))
        sent[post(stack, form, fields)] = fields
    for submission in Submission.objects.all():
        assert submission.raw == submission.answers == sent[str(submission.id)]
        release(submission, actor=admin_user)
    eventually(lambda: Lead.objects.count() == len(sent), seconds=60)

    page = log_in(browser, stack, admin_user)
    troubles = listen(page)
    for lead in Lead.objects.prefetch_related("links__submission"):
        answers = lead.links.get().submission.answers.values()
        for address in (
            f"/admin/leads/lead/{lead.pk}/change/",
            f"/admin/capture/submission/{lead.links.get().submission_id}/change/",
        ):
            assert page.goto(f"{stack.url}{address}").status == 200
            assert seen_as_sent(page, answers) == [], address
    for address in ("", "leads/lead/", "leads/contact/", "leads/company/", "capture/submission/"):
        assert page.goto(f"{stack.url}/admin/{address}").status == 200
    assert troubles == []
