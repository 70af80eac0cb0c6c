"""Two people save one page: nothing is overwritten unseen."""

import re
from html import unescape

import pytest
from django.urls import reverse

from leadgen.accounts.roles import Role
from leadgen.leads import record_services
from leadgen.leads.intake.batches import drain
from leadgen.leads.models import Campaign, Company, Contact, Task
from tests.factories import make_form, make_lead, make_pipeline, make_submission, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(browse):
    return browse(make_user(Role.ADMIN))


def page_of(row):
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def opened(client, row):
    """Return what a browser would send when the page is saved unchanged."""
    form = client.get(page_of(row)).context["adminform"].form
    fields: dict[str, str] = {}
    for name in form.fields:
        for html in (str(form[name].as_widget()), str(form[name].as_hidden(only_initial=True))):
            fields |= posted(html)
    return fields


def posted(html):
    if match := re.search(r'<select name="([^"]+)"', html):
        chosen = re.search(r'<option value="([^"]*)" selected', html)
        return {match[1]: chosen[1] if chosen else ""}
    if match := re.search(r'<textarea name="([^"]+)"[^>]*>(.*?)</textarea>', html, re.S):
        return {match[1]: unescape(match[2].strip())}
    values = {}
    for tag in re.findall(r"<input[^>]*>", html):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        is_box = attributes.get("type") == "checkbox"
        if not is_box or "checked" in tag:
            values[attributes["name"]] = unescape(attributes.get("value", "on" if is_box else ""))
    return values


def test_other_fields_of_an_older_page_are_kept(admin):
    contact = make_lead().contact
    first, second = opened(admin, contact), opened(admin, contact)
    admin.post(page_of(contact), {**first, "job_title": "Buyer"})
    admin.post(page_of(contact), {**second, "country": "DE"})
    contact.refresh_from_db()
    assert (contact.job_title, contact.country) == ("Buyer", "DE")


def test_values_filled_by_intake_keep_their_provenance(admin):
    make_pipeline()
    form = make_form()
    make_submission(form, answers={"name": "Ada", "email": "ada@example.com"})
    drain()
    contact = Contact.objects.get()
    page = opened(admin, contact)
    answers = {"name": "Ada", "email": "ada@example.com", "phone": "+4930901820"}
    later = make_submission(form, answers=answers)
    drain()
    admin.post(page_of(contact), {**page, "job_title": "Buyer"})
    contact.refresh_from_db()
    assert (contact.phone, contact.job_title) == ("+4930901820", "Buyer")
    assert contact.provenance["phone"] == str(later.pk)
    assert contact.provenance["job_title"] == "person"


def test_a_field_that_two_changed_is_refused_with_both(admin):
    contact = make_lead().contact
    first, second = opened(admin, contact), opened(admin, contact)
    admin.post(page_of(contact), {**first, "job_title": "Buyer"})
    answer = admin.post(page_of(contact), {**second, "job_title": "Seller", "country": "DE"})
    contact.refresh_from_db()
    assert (contact.job_title, contact.country) == ("Buyer", "")
    assert "This was changed to “Buyer” while this page was open" in answer.text
    assert "replace it by “Seller”" in answer.text


def test_the_next_save_after_a_conflict_passes(admin):
    contact = make_lead().contact
    first, second = opened(admin, contact), opened(admin, contact)
    admin.post(page_of(contact), {**first, "job_title": "Buyer"})
    refused = admin.post(page_of(contact), {**second, "job_title": "Seller"})
    form = refused.context["adminform"].form
    again = posted(str(form["job_title"].as_hidden(only_initial=True)))
    admin.post(page_of(contact), {**second, "job_title": "Seller", **again})
    contact.refresh_from_db()
    assert contact.job_title == "Seller"


def test_the_same_change_by_two_is_no_conflict(admin):
    contact = make_lead().contact
    pages = [opened(admin, contact), opened(admin, contact)]
    answers = [admin.post(page_of(contact), {**page, "job_title": "Buyer"}) for page in pages]
    assert [answer.status_code for answer in answers] == [302, 302]


def test_company_of_a_contact_is_compared_by_name(admin):
    contact = make_lead().contact
    first, second = opened(admin, contact), opened(admin, contact)
    admin.post(page_of(contact), {**first, "company_name": "Mill"})
    answer = admin.post(page_of(contact), {**second, "company_name": "Dam"})
    contact.refresh_from_db()
    assert contact.company == Company.objects.get(name="Mill")
    assert "changed to “Mill”" in answer.text


def test_contact_page_refuses_invalid_and_used_addresses(admin):
    contact, other = make_lead().contact, make_lead().contact
    record_services.update_contact(other, {"email": "taken@example.com"}, actor=None)
    page = opened(admin, contact)
    wrong = admin.post(page_of(contact), {**page, "email": "not an address", "phone": "call me"})
    taken = admin.post(page_of(contact), {**page, "email": "taken@example.com"})
    assert "is not an email address" in wrong.text
    assert "is not a whole phone number" in wrong.text
    assert "Another contact is known by this email address" in taken.text


def test_older_pages_of_company_and_campaign_erase_nothing(admin):
    company = Company.objects.create(name="Mill")
    campaign = Campaign.objects.create(name="Spring", utm_campaign="spring", budget=5)
    task = Task.objects.create(lead=make_lead(), title="Call")
    cases = [
        (company, {"name": "Dam"}, {"website": "https://example.com/"}),
        (campaign, {"budget": "7.50"}, {"ends_on": "2027-01-31"}),
        (task, {"title": "Write"}, {"due_at_0": "2027-01-31", "due_at_1": "10:00"}),
    ]
    for row, mine, theirs in cases:
        first, second = opened(admin, row), opened(admin, row)
        assert admin.post(page_of(row), {**first, **mine}).status_code == 302
        assert admin.post(page_of(row), {**second, **theirs}).status_code == 302
        row.refresh_from_db()
    assert (company.name, company.website) == ("Dam", "https://example.com/")
    assert (str(campaign.budget), str(campaign.ends_on)) == ("7.50", "2027-01-31")
    assert task.due_at
    assert (task.title, task.due_at.year) == ("Write", 2027)


def test_an_older_page_of_a_person_erases_nothing(admin):
    rep = make_user()
    first, second = opened(admin, rep), opened(admin, rep)
    assert admin.post(page_of(rep), {**first, "name": "Grace"}).status_code == 302
    assert admin.post(page_of(rep), {**second, "time_zone": "Europe/Berlin"}).status_code == 302
    rep.refresh_from_db()
    assert (rep.name, rep.time_zone) == ("Grace", "Europe/Berlin")


def test_two_budgets_are_shown_in_the_refusal(admin):
    campaign = Campaign.objects.create(name="Spring", utm_campaign="spring", budget=5)
    first, second = opened(admin, campaign), opened(admin, campaign)
    admin.post(page_of(campaign), {**first, "budget": "7.50"})
    answer = admin.post(page_of(campaign), {**second, "budget": "9"})
    assert "changed to “7.50”" in answer.text
    assert Campaign.objects.get().budget == 7.5


def test_a_row_deleted_meanwhile_is_not_written_again(admin):
    company = Company.objects.create(name="Mill")
    page = opened(admin, company)
    Company.objects.all().delete()
    admin.post(page_of(company), {**page, "name": "Dam"})
    assert not Company.objects.exists()
