from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from leadgen.accounts.roles import Role
from leadgen.leads.models import Lead
from leadgen.workspace.home import numbers
from leadgen.workspace.kit import pagination
from leadgen.workspace.kit.html import in_words
from leadgen.workspace.kit.pagination import CappedPaginator
from tests.factories import make_form, make_lead, make_submission, make_team, make_user

pytestmark = pytest.mark.django_db

HOME = reverse("admin:index")


def tiles(client):
    return {tile.label: tile for tile in client.get(HOME).context["tiles"]}


def test_a_rep_counts_own_leads_and_tasks_only(browse):
    rep, now = make_user(), timezone.now()
    mine = make_lead(rep)
    make_lead(make_user())
    for owner, days in [(rep, -1), (rep, 30), (make_user(), -1)]:
        mine.tasks.create(title="Call", owner=owner, due_at=now + timedelta(days=days))

    shown = tiles(browse(rep))

    assert shown["Not contacted"].value == "1"
    assert (shown["Due today"].value, shown["Due today"].hint) == ("1", "1 overdue")


def test_tiles_count_open_leads_of_any_age_like_their_lists(browse):
    old = timezone.now() - timedelta(days=200)
    Lead.objects.filter(pk=make_lead().pk).update(created_at=old)
    client = browse(make_user(Role.ADMIN))

    shown = tiles(client)

    for label in ("Not contacted", "No owner"):
        listed = client.get(shown[label].url).context["cl"].result_count
        assert (label, shown[label].value) == (label, str(listed)) == (label, "1")


def test_answered_lead_that_wrote_again_is_shown_as_new_message(browse):
    rep, now = make_user(), timezone.now()
    lead = make_lead(rep)
    Lead.objects.filter(pk=lead.pk).update(
        created_at=now - timedelta(days=9),
        first_response_at=now - timedelta(days=8),
        new_message_at=now - timedelta(hours=2),
    )

    html = browse(rep).get(HOME).text

    row = html[html.index(str(lead.contact)) :].split("</a>")[0]
    assert "New message" in row
    assert "2\xa0hours ago" in row
    assert "9\xa0days" not in row
    assert "week" not in row


def test_manager_sees_the_teams_leads_and_workload(browse):
    team = make_team()
    rep = make_user(team=team, takes_leads=True)
    stranger = make_user(team=make_team(), takes_leads=True)
    make_lead(rep), make_lead(stranger), make_lead(team=team)
    client = browse(make_user(Role.SALES_MANAGER, team=team))

    shown, html = tiles(client), client.get(HOME).content.decode()

    assert (shown["New leads"].value, shown["No owner"].value) == ("2", "1")
    assert rep.name in html
    assert stranger.name not in html


def test_marketer_sees_sources_forms_and_the_review_count(browse):
    form = make_form()
    make_lead(source="newsletter", form=form)
    make_submission(form)
    make_submission(form, state="quarantined", reasons=["flood"])
    client = browse(make_user(Role.MARKETER))

    shown, html = tiles(client), client.get(HOME).content.decode()

    assert (shown["Submissions"].value, shown["To review"].value) == ("2", "1")
    assert "newsletter" in html
    assert form.title in html


def test_administrator_sees_the_system_status(browse):
    make_submission(received_at=timezone.now() - timedelta(hours=3))
    make_submission(parked_at=timezone.now())

    html = browse(make_user(Role.ADMIN)).get(HOME).content.decode()

    assert "Waiting for a lead" in html
    assert "3\xa0hours ago" in html
    assert "view=parked" in html


@pytest.mark.parametrize("role", list(Role))
def test_empty_home_shows_the_next_step(browse, role):
    answer = browse(make_user(role)).get(HOME)

    assert answer.status_code == 200
    assert "ws-empty" in answer.content.decode()


def test_home_has_a_constant_number_of_queries(browse, django_assert_max_num_queries):
    team = make_team()
    client = browse(make_user(Role.ADMIN))
    make_lead(make_user(team=team, takes_leads=True), source="direct")
    client.get(HOME)
    with django_assert_max_num_queries(40) as few:
        client.get(HOME)
    for n in range(10):
        make_lead(make_user(team=team, takes_leads=True), source=f"source-{n}")
    with django_assert_max_num_queries(len(few)):
        client.get(HOME)


def test_the_median_response_is_of_answered_leads_only():
    now = timezone.now()
    for hours in (1, 2, 30):
        make_lead(
            created_at=now - timedelta(days=3),
            first_response_at=now - timedelta(days=3) + timedelta(hours=hours),
        )
    make_lead()

    assert numbers.lead_summary(Lead.objects.all()).response == timedelta(hours=2)


def test_change_compares_with_the_thirty_days_before():
    for days in (1, 2, 3, 40, 45, 70):
        make_lead(created_at=timezone.now() - timedelta(days=days))

    change = numbers.lead_summary(Lead.objects.all()).leads

    assert (change.now, change.before, change.percent) == (3, 2, 50)


def test_chart_contains_days_without_leads():
    make_lead()

    days = numbers.per_day(Lead.objects.all())

    assert len(days) == numbers.DAYS
    assert days[-1] == (timezone.localdate(), 1)
    assert sum(count for _, count in days) == 1


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (None, "–"),
        (0, "0 min"),
        (59, "59 min"),
        (200, "3 h 20 min"),
        (2880, "2 d"),
        (3000, "2 d 2 h"),
    ],
)
def test_durations_read_in_their_two_largest_units(minutes, words):
    assert in_words(None if minutes is None else timedelta(minutes=minutes)) == words


def test_a_page_counts_no_further_than_the_cap(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(pagination, "CAP", 2)
    for _ in range(3):
        make_lead()

    with django_assert_num_queries(1) as statements:
        paginator = CappedPaginator(Lead.objects.all(), 1)
        assert paginator.count == 2

    assert "LIMIT 2" in statements[0]["sql"]
    assert paginator.shown_count == "2+"


def test_the_sidebar_shows_what_a_role_may_open(browse):
    rep = browse(make_user()).get(HOME).content.decode()
    admin = browse(make_user(Role.ADMIN)).get(HOME).content.decode()

    assert reverse("admin:events_event_changelist") not in rep
    assert reverse("admin:accounts_user_changelist") not in rep
    assert reverse("admin:events_event_changelist") in admin
