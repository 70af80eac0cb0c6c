from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from leadgen.accounts.models import User
from leadgen.accounts.roles import Role
from leadgen.events.services import emit
from leadgen.leads import services
from leadgen.leads.models import Campaign
from tests.factories import make_form, make_pipeline, make_submission, make_team

pytestmark = pytest.mark.django_db

A, M, S, R, V = Role  # administrator, marketer, sales manager, sales representative, viewer
ALL, SALES, NOBODY = {A, M, S, R, V}, {A, S, R}, set[Role]()

# Who may do what with which rows. A new page fails here until it has its place.
TABLE: dict[str, tuple[set[Role], ...]] = {
    # model                view    add     change  delete
    "leads.lead": (ALL, NOBODY, SALES, NOBODY),
    "leads.contact": (ALL, NOBODY, SALES, NOBODY),
    "leads.company": (ALL, NOBODY, SALES, {A}),
    "leads.task": (ALL, NOBODY, SALES, SALES),
    "leads.campaign": (ALL, {A, M}, {A, M}, {A, M}),
    "leads.pipeline": (ALL, {A, S}, {A, S}, {A}),
    "forms.form": (ALL, {A, M}, {A, M}, {A, M}),
    "capture.submission": (ALL, NOBODY, {A, M, S}, NOBODY),
    "accounts.user": ({A, S}, {A}, {A}, NOBODY),
    "accounts.team": ({A, S}, {A}, {A}, {A}),
    "events.event": ({A}, NOBODY, NOBODY, NOBODY),
}
SCOPED = {"leads.lead", "leads.contact", "leads.company", "leads.task", "capture.submission"}
SEES = {
    A: {"own", "team", "foreign"},
    M: {"own", "team", "foreign"},
    S: {"own", "team"},
    R: {"own"},
    V: {"own", "team", "foreign"},
}
# Verbs of single rows: the model, who may, and what is sent.
VERBS: dict[str, tuple[str, set[Role], dict[str, Any]]] = {
    "admin:lead_move": ("leads.lead", SALES, {"stage": "{stage}"}),
    "admin:lead_assign": ("leads.lead", SALES, {"owner": ""}),
    "admin:lead_note": ("leads.lead", SALES, {"body": "Called."}),
    "admin:lead_task": ("leads.lead", SALES, {"title": "Call"}),
    "admin:lead_task_done": ("leads.lead", SALES, {}),
    "admin:lead_task_reopen": ("leads.lead", SALES, {}),
    "admin:lead_undo": ("leads.lead", SALES, {"event": "{event}"}),
    "admin:submission_release": ("capture.submission", {A, M, S}, {}),
    "admin:submission_retry": ("capture.submission", {A, M, S}, {}),
    "admin:submission_hold": ("capture.submission", {A, M, S}, {}),
}
# Pages without rows of their own: what a person who is logged in gets.
PAGES = {
    "admin:index": "shown",
    "admin:search": "gone",  # turned off: it wrote searched texts into the cache of limits
    "admin:password_change": "shown",
    "admin:password_change_done": "shown",
    "admin:jsi18n": "shown",
    "admin:autocomplete": "refused",  # it names no field to complete
}
FOR_EVERYBODY = {
    "health-live": "shown",
    "health-ready": "shown",
    "metrics": "shown",
    "admin:login": "login",
    "account_login": "shown",
    "account_reset_password": "shown",
    "account_reset_password_done": "shown",
    "account_reset_password_from_key_done": "shown",
    "": "home",
}
SPECIAL = {  # each has a test of its own, below or in tests/workspace
    "admin:lead_assign_undo",
    "account_reset_password_from_key",
    "admin:logout",
    "admin:app_list",
    "admin:view_on_site",
    "admin:auth_user_password_change",
    "admin:forms_form_open_page",
    "admin:forms_form_preview",
    "admin/(?P<url>.*)$",
}


def walk(resolver: Any, route: str = "", space: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}" if pattern.name else here
        else:
            yield from walk(pattern, here, f"{pattern.namespace}:" if pattern.namespace else space)


def standard(model: str) -> set[str]:
    app, name = model.split(".")
    kinds = ("changelist", "add", "history", "delete", "change")
    pages = {f"admin:{app}_{name}_{kind}" for kind in kinds}
    return pages | {f"admin/{app}/{name}/<path:object_id>/"}


def outcome(answer: Any) -> str:
    if answer.status_code in (302, 303):
        place = answer["Location"].split("?")[0]
        logins = dict.fromkeys((reverse("admin:login"), reverse("account_login")), "login")
        known = {**logins, reverse("admin:index"): "home"}
        return known.get(place, "moved")
    return {200: "shown", 403: "refused", 404: "gone"}.get(answer.status_code, "broken")


def login(role: Role, make_person: Any) -> tuple[Client, User]:
    client, user = Client(), make_person(role)
    client.force_login(user)
    return client, user


def single_row(model: str, user: User) -> Any:
    makers: dict[str, Any] = {
        "leads.campaign": lambda: Campaign.objects.create(name="Spring", utm_campaign="spring"),
        "leads.pipeline": make_pipeline,
        "forms.form": make_form,
        "accounts.user": lambda: user,
        "accounts.team": make_team,
        "events.event": lambda: emit("team.added", make_team()),
    }
    return makers[model]()


def rows(model: str, user: User, places: Any) -> dict[str, Any]:
    if model not in SCOPED:
        return {"own": single_row(model, user)}
    return {word: place.row(model.split(".")[1]) for word, place in places(user).items()}


GONE = {"gone", "home"}  # as if it were not there: 404, or Django's way back to the home page


def expected(may: bool, sees: bool) -> set[str]:
    if not may:
        return {"refused"} if sees else {"refused", *GONE}
    return {"shown"} if sees else GONE


def test_every_address_has_its_place_in_the_table():
    known = set(PAGES) | set(VERBS) | set(FOR_EVERYBODY) | SPECIAL
    for model in TABLE:
        known |= standard(model)
    addresses = set(walk(get_resolver()))
    assert addresses - known == set()
    assert known - addresses == set()


def test_access_table_lists_every_workspace_model():
    assert {model._meta.label_lower for model in admin.site._registry} == set(TABLE)


@pytest.mark.parametrize("model", TABLE)
@pytest.mark.parametrize("role", Role)
def test_row_pages_open_for_the_roles_in_the_table(role, model, make_person, places):
    client, user = login(role, make_person)
    may = [role in roles for roles in TABLE[model]]
    base = f"admin:{model.replace('.', '_')}"
    asked = {
        f"{model} list": (reverse(f"{base}_changelist"), expected(may[0], True)),
        f"{model} add": (reverse(f"{base}_add"), expected(may[1], True)),
    }
    for word, row in rows(model, user, places).items():
        # The audit log shows no event to those who may not read it.
        sees = may[0] if model == "events.event" else word in SEES[role]
        for page, allowed in (("change", may[0]), ("delete", may[3]), ("history", may[0])):
            url = reverse(f"{base}_{page}", args=[row.pk])
            asked[f"{word} {model} {page}"] = (url, expected(allowed, sees))
    got = {name: outcome(client.get(url)) for name, (url, _) in asked.items()}
    assert {name: what for name, what in got.items() if what not in asked[name][1]} == {}


@pytest.mark.parametrize("model", TABLE)
@pytest.mark.parametrize("role", Role)
def test_rows_are_written_only_by_the_roles_in_the_table(role, model, make_person, places):
    client, user = login(role, make_person)
    _, add, change, delete = (role in roles for roles in TABLE[model])
    base = f"admin:{model.replace('.', '_')}"
    refused = {} if add else {"add": client.post(reverse(f"{base}_add"))}
    for word, row in rows(model, user, places).items():
        hidden = word not in SEES[role]
        if (hidden or not change) and model not in {"leads.lead", "capture.submission"}:
            refused[f"change {word}"] = client.post(reverse(f"{base}_change", args=[row.pk]))
        if hidden or not delete:
            url = reverse(f"{base}_delete", args=[row.pk])
            refused[f"delete {word}"] = client.post(url, {"post": "yes"})
            assert type(row).objects.filter(pk=row.pk).exists()
    outcomes = {name: outcome(answer) for name, answer in refused.items()}
    assert {n: what for n, what in outcomes.items() if what not in {"refused", *GONE}} == {}


def move(lead, user):
    """Move the lead as this person; return the event that can be undone."""
    stage = lead.pipeline.stages.exclude(pk=lead.stage_id)[0]
    return services.move(lead, stage, actor=user)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("role", Role)
def test_verbs_work_for_roles_in_the_table_on_visible_rows(role, verb, make_person, places):
    client, user = login(role, make_person)
    model, roles, sent = VERBS[verb]
    for word, place in places(user).items():
        more = [place.task.pk] if "task_" in verb else []
        event = move(place.lead, user) if verb == "admin:lead_undo" else 0
        names = {"stage": place.lead.stage_id, "event": event}
        data = {k: str(v).format(**names) for k, v in sent.items()}
        row = place.row(model.split(".")[1])
        answer = outcome(client.post(reverse(verb, args=[row.pk, *more]), data))
        wanted = expected(role in roles, word in SEES[role])
        assert (word, answer) in {(word, {"shown": "moved"}.get(w, w)) for w in wanted}


@pytest.mark.parametrize("verb", VERBS)
def test_get_of_a_verb_leads_to_its_row(verb, make_person, places):
    client, user = login(A, make_person)
    place = places(user)["own"]
    more = [place.task.pk] if "task_" in verb else []
    model = VERBS[verb][0].replace(".", "_")
    row = place.row(model.split("_")[1])
    answer = client.get(reverse(verb, args=[row.pk, *more]))
    assert answer.status_code == 302
    assert answer["Location"] == reverse(f"admin:{model}_change", args=[row.pk])


@pytest.mark.parametrize("role", Role)
def test_pages_without_rows_open_for_every_role(role, make_person):
    client, _ = login(role, make_person)
    assert {page: outcome(client.get(reverse(page))) for page in PAGES} == PAGES


def test_anonymous_user_is_sent_to_the_log_in_everywhere(client, make_person, places):
    user = make_person(A)
    place = places(user)["own"]
    for model in TABLE:
        row = place.row(model.split(".")[1]) if model in SCOPED else single_row(model, user)
        base = f"admin:{model.replace('.', '_')}"
        for kind in ("changelist", "add"):
            assert outcome(client.get(reverse(f"{base}_{kind}"))) == "login"
        for kind in ("change", "delete", "history"):
            assert outcome(client.get(reverse(f"{base}_{kind}", args=[row.pk]))) == "login"
    for page in PAGES:
        assert outcome(client.get(reverse(page))) == "login"
    assert outcome(client.get("/admin/no/such/page/")) == "login"


def test_anonymous_user_can_use_no_verb(client, make_person, places):
    place = places(make_person(A))["own"]
    for verb, (model, _, _) in VERBS.items():
        more = [place.task.pk] if "task_" in verb else []
        row = place.row(model.split(".")[1])
        assert outcome(client.post(reverse(verb, args=[row.pk, *more]))) == "login"


def test_pages_for_probes_and_visitors_are_public(client):
    asked = {name: reverse(name) if name else "/" for name in FOR_EVERYBODY}
    assert {name: outcome(client.get(url)) for name, url in asked.items()} == FOR_EVERYBODY


@pytest.mark.parametrize("role", Role)
def test_deactivated_user_is_sent_to_the_log_in(role, make_person):
    client, user = login(role, make_person)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert outcome(client.get(reverse("admin:index"))) == "login"


@pytest.mark.parametrize("role", Role)
def test_only_administrators_set_passwords_of_others(role, make_person):
    client, _ = login(role, make_person)
    url = reverse("admin:auth_user_password_change", args=[make_person(R).pk])
    assert outcome(client.get(url)) == ("shown" if role == A else "refused")


@pytest.mark.parametrize("role", Role)
def test_application_page_opens_for_roles_with_a_model_in_it(role, make_person):
    client, _ = login(role, make_person)
    asked = {app: client.get(f"/admin/{app}/") for app in ("leads", "accounts", "events")}
    wanted = {
        "leads": "shown",
        "accounts": "shown" if role in {A, S} else "gone",
        "events": "shown" if role == A else "gone",
    }
    assert {app: outcome(answer) for app, answer in asked.items()} == wanted


@pytest.mark.parametrize("role", Role)
def test_every_role_opens_and_previews_forms(role, make_person):
    client, _ = login(role, make_person)
    form = make_form()
    assert outcome(client.get(reverse("admin:forms_form_preview", args=[form.pk]))) == "shown"
    assert outcome(client.get(reverse("admin:forms_form_open_page", args=[form.pk]))) == "moved"


def test_the_rest_of_the_workspace_is_not_there(make_person):
    client, _ = login(A, make_person)
    assert outcome(client.get("/admin/no/such/page/")) == "gone"
    assert outcome(client.get(reverse("admin:view_on_site", args=[1, 1]))) == "gone"
    assert outcome(client.get(reverse("admin:logout"))) == "broken"  # 405: only a POST logs out


def test_quarantined_submission_is_shown_to_reviewers(make_person):
    held = make_submission(state="quarantined", reasons=["flood"])
    for role, wanted in {A: "shown", M: "shown", S: "shown", R: "gone", V: "shown"}.items():
        client, _ = login(role, make_person)
        url = reverse("admin:capture_submission_change", args=[held.pk])
        assert outcome(client.get(url)) == wanted
