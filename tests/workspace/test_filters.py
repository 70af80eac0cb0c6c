"""List pages run only look-ups that a filter declares, and no value of a filter makes them fail."""

from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.urls import reverse

from leadgen.accounts.roles import Role
from leadgen.leads.models import Contact, Lead
from leadgen.workspace.kit import pagination, scoped_admin
from leadgen.workspace.kit.scoped_admin import ScopedAdmin
from tests.factories import make_form, make_lead, make_pipeline, make_submissions, make_user

pytestmark = pytest.mark.django_db

NASTY = [
    "",
    "\0",
    "a\0b",
    "x",
    "-1",
    "0",
    "9" * 30,
    "9" * 5000,
    "1e999",
    "NaN",
    "(",
    "(.*)(.*)\\1\\2x",
    "%",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2026-02-30",
    "9999-12-31T23:59:59+14:00",
    "None",
    "[]",
    "' OR 1=1 --",
    "\ud7ff\U0010ffff",
    "a" * 3000,
]
UNDECLARED = [
    "message__regex",
    "name__regex",
    "raw__regex",
    "id__in",
    "pk",
    "owner__password__startswith",
    "password__startswith",
    "contact__email__icontains",
    "created_at__year",
    "no_such_field",
    "a__b__c",
    "\0",
]
OF_THE_PAGE = ["q", "p", "o", "all", "e", "_popup", "_facets", "_changelist_filters"]
ADMINS = sorted(admin.site._registry.values(), key=str)


@pytest.fixture
def lists(client):
    """Return the answer of the list page of an admin for a role."""
    make_pipeline()
    make_submissions(make_form(), [{"email": "ada@example.com"}])

    client.force_login(make_user(role=Role.ADMIN))

    def ask(model_admin, parameters, method="get", **data):
        name = f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_changelist"
        address = f"{reverse(name)}?{urlencode(parameters, errors='surrogatepass')}"
        return getattr(client, method)(address, data)

    return ask


def declared(model_admin, rf):
    request = rf.get("/")
    request.user = make_user(role=Role.ADMIN)
    return sorted(model_admin.declared_parameters(request))


def message(answer):
    return " ".join(str(each) for each in answer.context["messages"])


def test_every_list_is_scoped():
    assert [each for each in ADMINS if not isinstance(each, ScopedAdmin)] == []


@pytest.mark.parametrize("model_admin", ADMINS, ids=str)
def test_no_value_of_a_filter_breaks_its_list(lists, rf, model_admin):
    for name in declared(model_admin, rf):
        for value in NASTY:
            answer = lists(model_admin, {name: value})
            assert answer.status_code == 200, (name, value)


@pytest.mark.parametrize("model_admin", ADMINS, ids=str)
def test_no_value_of_a_page_parameter_breaks_its_list(lists, model_admin):
    for name in OF_THE_PAGE:
        for value in ("\0", "x", "-1.x.99", "9" * 5000):
            answer = lists(model_admin, {name: value})
            assert answer.status_code == 200, (name, value)


@pytest.mark.parametrize("model_admin", ADMINS, ids=str)
def test_undeclared_lookups_are_named_and_not_run(lists, model_admin):
    for name in UNDECLARED:
        answer = lists(model_admin, {name: "("})
        assert answer.status_code == 200, name
        assert "No such filter" in message(answer), name


@pytest.mark.parametrize("role", Role)
def test_undeclared_lookups_are_run_for_no_role(lists, client, role):
    client.force_login(make_user(role=role))
    leads = admin.site._registry[Lead]
    answer = lists(leads, {"message__regex": "(.*)(.*)(.*)\\1\\2\\3x", "view": "all"})
    assert answer.status_code in (200, 403)
    if answer.status_code == 200:
        assert "message" not in str(answer.context["cl"].queryset.query.where)


def test_declared_filters_stay_beside_an_undeclared_one(lists):
    leads = admin.site._registry[Lead]
    answer = lists(leads, {"status__exact": "open", "message__regex": "a"})
    assert "status" in str(answer.context["cl"].queryset.query.where)
    assert message(answer) == "No such filter: message__regex. The list is shown without it."


@pytest.mark.parametrize("query", ["view=new&source=google", "view=new&q=ada"])
def test_missing_page_shows_the_last_of_its_list(client, monkeypatch, query):
    monkeypatch.setattr(admin.site._registry[Lead], "list_per_page", 2)
    for _ in range(5):
        make_lead(contact=Contact.objects.create(name="Ada"), source="google")
    make_lead(source="bing")
    client.force_login(make_user(role=Role.ADMIN))

    for page, is_shown in (("999", 3), ("0", 1), ("-4", 1), ("2", 2)):
        answer = client.get(f"{reverse('admin:leads_lead_changelist')}?{query}&p={page}")
        shown = answer.context["cl"]
        assert (shown.page_num, shown.result_count) == (is_shown, 5)
        assert len(shown.result_list) == (1 if is_shown == 3 else 2)
        assert "google" in answer.context["cl"].get_query_string() or "q=ada" in query
        assert ("There is no page" in message(answer)) == (page != "2")


@pytest.mark.parametrize("query", ["", "q=ada"])
def test_truncated_list_is_marked(client, monkeypatch, query):
    monkeypatch.setattr(pagination, "CAP", 3)
    monkeypatch.setattr(scoped_admin, "SEARCH_CAP", 3)
    for n in range(5):
        make_lead(contact=Contact.objects.create(name="Ada"), source=str(n))
    client.force_login(make_user(role=Role.ADMIN))

    page = client.get(f"{reverse('admin:leads_lead_changelist')}?{query}")

    assert page.context["cl"].paginator.shown_count == "3+"
    assert "only 3 can be paged through" in page.text


def test_to_field_of_a_secret_is_refused(lists):
    users = next(each for each in ADMINS if each.opts.model_name == "user")
    assert lists(users, {"_to_field": "password"}).status_code == 400


@pytest.mark.parametrize("model_admin", ADMINS, ids=str)
def test_actions_ignore_invalid_keys(lists, model_admin):
    for action in ["", *(model_admin.actions or ())]:
        for key in ("x", "\0", "9" * 30, "-1", "\uff11"):
            data = {"action": action, "_selected_action": key, "index": "x"}
            answer = lists(model_admin, {}, method="post", **data)
            assert answer.status_code in (200, 302, 403), (action, key)


@pytest.mark.parametrize("model_admin", ADMINS, ids=str)
def test_no_text_in_the_address_of_a_row_breaks_its_page(lists, client, model_admin):
    base = lists(model_admin, {}).request["PATH_INFO"]
    for key in ("x", "%00", "9" * 30, "9" * 4400, "_5F", "-1", "%EF%BC%91"):
        for page in ("change/", "delete/", "history/", ""):
            answer = client.get(f"{base}{key}/{page}")
            assert answer.status_code in (200, 301, 302, 400, 403, 404), (key, page)


def test_search_of_pages_is_off(client):
    client.force_login(make_user(role=Role.VIEWER))
    for asked in ({"s": "leads"}, {"s": "leads", "page": "-1"}, {"s": "\0", "extended": ""}):
        assert client.get("/admin/search/", asked).status_code == 404


def test_choices_for_a_text_with_nul_are_none(client):
    client.force_login(make_user(role=Role.VIEWER))
    asked = {"app_label": "leads", "model_name": "lead", "field_name": "contact", "term": "a\0"}
    answer = client.get("/admin/autocomplete/", asked)
    assert (answer.status_code, answer.json()["results"]) == (200, [])
