import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from leadgen.accounts.roles import Role, Visibility
from leadgen.events.models import Event
from leadgen.leads import services
from leadgen.leads.models import Company, Contact, LeadSubmission
from tests.factories import make_form, make_lead, make_submission, make_team, make_user

pytestmark = pytest.mark.django_db

LIST = reverse("admin:leads_lead_changelist")
VERBS = {
    "lead_move": {"stage": "1"},
    "lead_assign": {"owner": ""},
    "lead_note": {"body": "Called back"},
    "lead_task": {"title": "Call back"},
    "lead_undo": {"event": "1"},
}


def page_of(lead):
    return reverse("admin:leads_lead_change", args=[lead.pk])


def act(client, lead, verb, **data):
    return client.post(reverse(f"admin:lead_{verb}", args=[lead.pk]), data, follow=True)


def test_a_rep_sees_own_leads_only(browse):
    rep, other = make_user(), make_user()
    mine, theirs = make_lead(rep), make_lead(other)

    html = browse(rep).get(LIST).content.decode()

    assert str(mine.contact) in html
    assert str(theirs.contact) not in html


def test_a_manager_sees_the_teams_leads(browse):
    team, other = make_team(), make_team()
    ours, theirs = make_lead(make_user(team=team)), make_lead(make_user(team=other))

    html = browse(make_user(Role.SALES_MANAGER, team=team)).get(LIST).content.decode()

    assert str(ours.contact) in html
    assert str(theirs.contact) not in html


def test_visibility_of_the_user_overrides_the_role(browse):
    theirs = make_lead(make_user())

    answer = browse(make_user(visibility=Visibility.ALL)).get(page_of(theirs))

    assert answer.status_code == 200


@pytest.mark.parametrize("verb", list(VERBS))
def test_a_guessed_lead_cannot_be_seen_or_worked(browse, verb):
    theirs = make_lead(make_user())
    client = browse(make_user())

    assert client.get(page_of(theirs)).status_code == 404
    assert client.post(reverse(f"admin:{verb}", args=[theirs.pk]), VERBS[verb]).status_code == 404
    assert not theirs.timeline().exists()


def test_a_guessed_contact_or_task_cannot_be_opened(browse):
    theirs = make_lead(make_user())
    task = theirs.tasks.create(title="Theirs")
    client = browse(make_user())

    for name, pk in [("contact", theirs.contact_id), ("task", task.pk)]:
        answer = client.get(reverse(f"admin:leads_{name}_change", args=[pk]))
        assert answer.status_code == 302
        assert answer.url == reverse("admin:index")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MARKETER])
def test_read_only_role_has_no_controls_and_cannot_post(browse, role):
    lead = make_lead(make_user())
    client = browse(make_user(role))

    html = client.get(page_of(lead)).content.decode()

    assert "Add note" not in html
    for verb, data in VERBS.items():
        assert client.post(reverse(f"admin:{verb}", args=[lead.pk]), data).status_code == 403
    assert not lead.timeline().exists()


def test_a_stage_button_moves_the_lead(browse):
    rep = make_user()
    lead = make_lead(rep)
    won = lead.pipeline.stages.get(type="won")

    answer = act(browse(rep), lead, "move", stage=won.pk)

    lead.refresh_from_db()
    assert lead.stage == won
    assert "Moved to Won." in answer.content.decode()
    assert lead.timeline().get(kind="lead.stage_changed").actor == rep


def test_a_page_from_before_a_win_does_not_reopen_the_lead(browse):
    rep, colleague = make_user(), make_user(name="Bob Colleague")
    lead = make_lead(rep)
    new, talking, won, _ = lead.pipeline.stages.all()
    client = browse(rep)
    assert f'name="seen" value="{new.pk}"' in client.get(page_of(lead)).text
    services.move(lead, won, actor=colleague)

    for fields in ({"seen": new.pk}, {}):
        answer = act(client, lead, "move", stage=talking.pk, **fields)
        assert answer.status_code == 422
        assert "Bob Colleague moved this lead to Won" in answer.text
    lead.refresh_from_db()
    assert lead.stage == won

    act(client, lead, "move", stage=talking.pk, seen=won.pk)
    lead.refresh_from_db()
    assert lead.stage == talking


def test_older_page_does_not_overwrite_a_new_owner(browse):
    boss, first, second = make_user(Role.ADMIN), make_user(name="Ann First"), make_user()
    lead = make_lead()
    client = browse(boss)
    assert 'name="seen" value="0"' in client.get(page_of(lead)).text
    services.assign(lead, first, actor=make_user(name="Bob Colleague"))

    answer = act(client, lead, "assign", owner=second.pk, seen=0)

    lead.refresh_from_db()
    assert (answer.status_code, lead.owner) == (422, first)
    assert "Bob Colleague assigned this lead to Ann First" in answer.text
    act(client, lead, "assign", owner=second.pk, seen=first.pk)
    lead.refresh_from_db()
    assert lead.owner == second


def test_late_undo_names_the_colleague_who_was_first(browse):
    rep, colleague = make_user(), make_user(name="Bob Colleague")
    lead = make_lead(rep)
    _, talking, won, _ = lead.pipeline.stages.all()
    client = browse(rep)
    act(client, lead, "move", stage=talking.pk)
    event = lead.timeline().get()
    services.move(lead, won, actor=colleague)

    answer = act(client, lead, "undo", event=event.pk)

    lead.refresh_from_db()
    assert (answer.status_code, lead.stage) == (422, won)
    assert "Bob Colleague moved this lead to Won" in answer.text


@pytest.mark.parametrize("stage", ["", "0", "nonsense", "9" * 30])
def test_a_stage_that_is_none_is_refused(browse, stage):
    rep = make_user()
    lead = make_lead(rep)

    assert act(browse(rep), lead, "move", stage=stage).status_code == 404
    assert not lead.timeline().exists()


def test_reassigning_a_lead_redirects_to_the_list(browse):
    rep, colleague = make_user(), make_user()
    lead = make_lead(rep)

    answer = act(browse(rep), lead, "assign", owner=colleague.pk)

    lead.refresh_from_db()
    assert lead.owner == colleague
    assert answer.redirect_chain[-1][0] == LIST


def test_lead_is_assigned_only_to_users_who_work_leads(browse):
    rep, viewer = make_user(), make_user(Role.VIEWER)
    lead = make_lead(rep)

    answer = act(browse(rep), lead, "assign", owner=viewer.pk)
    assert answer.status_code == 422
    assert "may not work leads" in answer.content.decode()


def test_assigning_to_the_owner_who_left_is_explained(browse):
    gone = make_user(is_active=False)
    lead = make_lead(gone)
    answer = act(browse(make_user(Role.ADMIN)), lead, "assign", owner=gone.pk)
    assert answer.status_code == 422
    assert "is deactivated; choose another person" in answer.content.decode()


def test_assigning_to_the_same_owner_changes_nothing(browse):
    rep = make_user(team=make_team())
    lead = make_lead(rep)
    assert act(browse(rep), lead, "assign", owner=rep.pk).status_code == 200
    assert not lead.timeline().exists()


def test_timeline_shows_the_complete_note(browse):
    rep = make_user()
    lead = make_lead(rep)
    body = "Wants a quote. " * 40

    html = act(browse(rep), lead, "note", body=body).content.decode()

    assert lead.notes.get().author == rep
    assert body.strip() in html


@pytest.mark.parametrize(("verb", "field"), [("note", "body"), ("task", "title")])
def test_a_refused_text_is_explained_and_kept(browse, verb, field):
    rep = make_user()
    lead = make_lead(rep)
    client = browse(rep)

    empty = act(client, lead, verb, **{field: " "})
    null = act(client, lead, verb, **{field: "kept\x00text"})

    assert (empty.status_code, null.status_code) == (422, 422)
    assert 'role="alert"' in empty.content.decode()
    assert "kept" in null.content.decode()


def test_a_task_is_added_done_and_opened_again(browse):
    rep = make_user()
    lead = make_lead(rep)
    client = browse(rep)

    act(client, lead, "task", title="Call back", due_at="2030-05-04T10:30", owner="")
    task = lead.tasks.get()
    client.post(reverse("admin:lead_task_done", args=[lead.pk, task.pk]))
    task.refresh_from_db()
    assert task.done_at
    assert timezone.localtime(task.due_at).hour == 10

    client.post(reverse("admin:lead_task_reopen", args=[lead.pk, task.pk]))
    task.refresh_from_db()
    assert task.done_at is None


def test_a_task_of_another_lead_cannot_be_ticked_off(browse):
    rep = make_user()
    mine, theirs = make_lead(rep), make_lead(make_user())
    task = theirs.tasks.create(title="Theirs")

    answer = browse(rep).post(reverse("admin:lead_task_done", args=[mine.pk, task.pk]))

    assert answer.status_code == 404


def test_acting_needs_a_post_with_a_token(browse, client):
    rep = make_user()
    lead = make_lead(rep)
    address = reverse("admin:lead_note", args=[lead.pk])
    client = browse(rep)
    assert client.put(address).status_code == 405

    client.handler.enforce_csrf_checks = True
    assert client.post(address, {"body": "Forged"}).status_code == 403
    assert not lead.notes.exists()


@pytest.mark.parametrize("name", [*VERBS, "lead_assign_undo"])
def test_get_after_a_log_in_leads_to_the_lead(browse, name):
    rep = make_user()
    lead = make_lead(rep)
    client = browse(rep)
    answer = client.get(reverse(f"admin:{name}", args=[lead.pk]))
    assert (answer.status_code, answer.url) == (302, page_of(lead))
    assert "Nothing was saved, because you had to log in first." in client.get(answer.url).text
    assert not lead.timeline().exists()


def reassign_lead(browse, rep, colleague, lead):
    html = act(browse(rep), lead, "assign", owner=colleague.pk).content.decode()
    assert "You do not see this lead any more." in html
    return re.findall(r'name="token" value="([^"]+)"', html)[0]


def test_reassigning_a_lead_can_be_undone(browse):
    rep, colleague = make_user(), make_user()
    lead = make_lead(rep)
    token = reassign_lead(browse, rep, colleague, lead)
    act(browse(rep), lead, "assign_undo", token=token)
    lead.refresh_from_db()
    assert lead.owner == rep


@pytest.mark.parametrize("token", ["", "forged", "of another"])
def test_undo_needs_the_persons_own_token(browse, token):
    rep, colleague, other = make_user(), make_user(), make_user()
    lead = make_lead(rep)
    own = reassign_lead(browse, rep, colleague, lead)
    sent = own if token == "of another" else token
    assert act(browse(other), lead, "assign_undo", token=sent).status_code == 404
    lead.refresh_from_db()
    assert lead.owner == colleague


def test_undo_keeps_a_later_owner(browse):
    rep, colleague, later = make_user(), make_user(), make_user()
    lead = make_lead(rep)
    token = reassign_lead(browse, rep, colleague, lead)
    services.assign(lead, later, actor=colleague)
    page = act(browse(rep), lead, "assign_undo", token=token)
    lead.refresh_from_db()
    assert lead.owner == later
    assert "changed the owner" in page.content.decode()
    assert "Nothing was undone." in page.content.decode()


def test_task_page_accepts_only_persons_who_see_the_lead(browse):
    rep, stranger, viewer = make_user(), make_user(name="Stranger"), make_user(Role.VIEWER)
    lead, boss = make_lead(rep), make_user(Role.ADMIN)
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=rep)
    address = reverse("admin:leads_task_change", args=[task.pk])
    sent = {"title": "Call", "due_at_0": "", "due_at_1": ""}
    client = browse(boss)

    refused = client.post(address, {**sent, "owner": stranger.pk}).content.decode()
    assert "does not see this lead" in refused
    client.post(address, {**sent, "owner": viewer.pk})
    task.refresh_from_db()
    assert task.owner == rep
    client.post(address, {**sent, "title": "Ring", "owner": boss.pk})
    task.refresh_from_db()
    assert (task.owner, task.title) == (boss, "Ring")
    assert lead.timeline().filter(kind="lead.task_assigned", actor=boss).count() == 1


def test_second_timeline_page_continues_the_first(browse):
    rep = make_user()
    lead = make_lead(rep)
    client = browse(rep)
    Event.objects.bulk_create(
        Event(kind=f"lead.thing_{n}", subject_type="lead", subject_id=str(lead.pk))
        for n in range(1, 33)
    )
    oldest = lead.timeline().values_list("pk", flat=True)[29]

    first = client.get(page_of(lead)).content.decode()
    older = client.get(page_of(lead), {"before": oldest}).content.decode()

    assert "Lead thing 32" in first
    assert f"?before={oldest}" in first
    assert "Lead thing 2<" not in first
    assert "Lead thing 2<" in older
    assert "Show older" not in older


def test_lead_page_shows_answers_beside_their_questions(browse):
    lead = make_lead()
    form = make_form()
    consent = {"given": True, "wording": "You may write to me.", "at": "2026-05-04T10:30:00+00:00"}
    sent = make_submission(
        form,
        answers={"name": "Ada", "message": "Ring me\nafter five"},
        context={
            "utm": {"source": "newsletter"},
            "first_touch": {"referrer": "https://example.com/"},
        },
        consents=[consent],
    )
    LeadSubmission.objects.create(lead=lead, submission=sent, reason="new")

    html = browse(make_user(Role.ADMIN)).get(page_of(lead)).content.decode()

    for text in (
        "How can we help?",
        "Ring me\nafter five",
        "newsletter",
        "https://example.com/",
        "You may write to me.",
        "4 May 2026",
    ):
        assert text in html


@pytest.mark.parametrize("page", ["list", "lead", "home"])
def test_markup_in_a_name_is_shown_not_run(browse, page):
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    contact = Contact.objects.create(name=evil, email=f"{evil[:20]}@example.com")
    lead = make_lead(contact=contact, message=evil, source=evil[:100])
    lead.tasks.create(title=evil, due_at=timezone.now())
    address = {"list": LIST, "lead": page_of(lead), "home": reverse("admin:index")}[page]

    html = browse(make_user(Role.ADMIN)).get(address).content.decode()

    assert "&lt;script&gt;alert(1)" in html
    assert "<script>alert(1)" not in html
    assert "<img src=x" not in html


def test_search_matches_parts_of_contact_identities(browse):
    mill = Company.objects.create(name="Mill & Sons")
    contact = Contact.objects.create(name="Ada Byron", company=mill)
    make_lead(contact=contact)
    make_lead()
    client = browse(make_user(Role.ADMIN))

    found = client.get(LIST, {"q": "byr MILL"}).context["cl"].result_list
    nothing = client.get(LIST, {"q": "nobody"}).context["cl"].result_list

    assert [lead.contact for lead in found] == [contact]
    assert not nothing


def test_filters_narrow_the_list(browse):
    rep = make_user()
    lead = make_lead(rep, source="google", created_at=timezone.now() - timedelta(days=3))
    make_lead(source="direct")
    client = browse(make_user(Role.ADMIN))
    day = timezone.localdate() - timedelta(days=3)

    for narrow in (
        {"source": "google"},
        {"owner": rep.pk},
        {"created_at_from": day, "created_at_to": day},
        {"view": "mine", "owner": "none"},
        {"view": "nonsense", "source": "google"},
    ):
        found = list(client.get(LIST, narrow).context["cl"].result_list)
        assert found == ([] if narrow.get("view") == "mine" else [lead])


@pytest.mark.parametrize("name", ["stage", "owner", "campaign", "source", "created_at_from"])
def test_a_filter_with_nonsense_in_it_still_answers(browse, name):
    client = browse(make_user(Role.ADMIN))

    assert client.get(LIST, {name: "x' or 1=1 --"}).status_code == 200
    assert client.get(LIST, {name: "9" * 40}).status_code == 200


def test_list_has_a_constant_number_of_queries(browse, django_assert_max_num_queries):
    client = browse(make_user(Role.ADMIN))
    rep = make_user(team=make_team())
    for _ in range(2):
        make_lead(rep)
    with django_assert_max_num_queries(30) as few:
        client.get(LIST)
    for _ in range(10):
        make_lead(make_user(team=make_team()))
    with django_assert_max_num_queries(len(few)):
        client.get(LIST)


def test_leads_chosen_in_the_list_are_assigned_to_me(browse):
    boss = make_user(Role.ADMIN)
    lead = make_lead()
    data = {"action": "assign_to_me", "_selected_action": [lead.pk]}

    browse(boss).post(LIST, data)

    lead.refresh_from_db()
    assert lead.owner == boss


def test_nothing_is_deleted_in_bulk(browse):
    lead = make_lead()
    data = {"action": "delete_selected", "_selected_action": [lead.pk], "post": "yes"}

    browse(make_user(Role.ADMIN)).post(LIST, data)

    assert type(lead).objects.filter(pk=lead.pk).exists()


def test_typed_values_have_the_provenance_person(browse):
    rep = make_user()
    lead = make_lead(rep)
    typed = {"name": "Ada Byron", "email": "ada@example.com", "company_name": "mill & sons"}
    mill = Company.objects.create(name="Mill & Sons")

    browse(rep).post(reverse("admin:leads_contact_change", args=[lead.contact_id]), typed)

    contact = Contact.objects.get(pk=lead.contact_id)
    assert (contact.name, contact.company) == ("Ada Byron", mill)
    assert contact.provenance["name"] == contact.provenance["company"] == "person"
    assert "Mill" in contact.search


def test_page_of_a_contact_lists_visible_leads_only(browse):
    rep = make_user()
    mine = make_lead(rep)
    theirs = make_lead(make_user(), contact=mine.contact)

    page = reverse("admin:leads_contact_change", args=[mine.contact_id])
    html = browse(rep).get(page).content.decode()

    assert page_of(mine) in html
    assert page_of(theirs) not in html


def test_people_are_found_by_their_companys_new_name(browse):
    mill = Company.objects.create(name="Mill")
    admin = browse(make_user(Role.ADMIN))
    page_of_mill = reverse("admin:leads_company_change", args=[mill.pk])
    statements = []
    for name, new_name in (("Ada", "Weavers"), ("Bob", "Spinners"), ("Cleo", "Grinders")):
        make_lead(contact=Contact.objects.create(name=name, company=mill))
        with CaptureQueriesContext(connection) as queries:
            admin.post(page_of_mill, {"name": new_name})
        statements.append(len(queries))
    assert statements[1:] == [statements[1]] * 2
    page = admin.get(reverse("admin:leads_contact_changelist"), {"q": "grinders"})
    assert all(name in page.text for name in ("Ada", "Bob", "Cleo"))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("da", set()),
        ("ad", {"Ada Wu"}),
        ("WU", {"Ada Wu", "Wunibald"}),
        ("bald", {"Wunibald"}),
        ("wu ada", {"Ada Wu"}),
        ("%", set()),
    ],
)
def test_short_search_terms_match_word_starts_only(browse, asked, found):
    for name in ("Ada Wu", "Wunibald"):
        make_lead(contact=Contact.objects.create(name=name))
    admin = browse(make_user(Role.ADMIN))
    for model in ("lead", "contact"):
        page = admin.get(reverse(f"admin:leads_{model}_changelist"), {"q": asked}).text
        assert {name for name in ("Ada Wu", "Wunibald") if name in page} == found


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/New_York", "Pacific/Kiritimati"])
def test_task_of_another_year_shows_its_year(browse, zone):
    rep = make_user(time_zone=zone)
    lead, now = make_lead(rep), timezone.now()
    this_year = now.replace(month=6, day=15, hour=12)
    for number, at in enumerate((this_year, this_year.replace(year=now.year + 1))):
        lead.tasks.create(title=f"Call {number}", owner=rep, created_by=rep, due_at=at)
    addresses = (page_of(lead), reverse("admin:leads_task_changelist") + "?view=mine")
    for address in addresses:
        text = browse(rep).get(address).content.decode()
        assert re.search(r"1[456] Jun, \d\d:\d\d", text)
        assert re.search(rf"1[456] Jun {now.year + 1}, \d\d:\d\d", text)
