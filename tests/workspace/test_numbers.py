"""Each number of the home page is the number of rows of the list that it links to."""

import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from leadgen.accounts.roles import Role, Visibility
from leadgen.leads.models import Campaign, Lead
from leadgen.workspace.kit import pagination
from tests.factories import (
    make_form,
    make_lead,
    make_pipeline,
    make_submission,
    make_team,
    make_user,
)

pytestmark = pytest.mark.django_db

HOME = reverse("admin:index")
DAYS = (0, 1, 28, 29, 30, 31, 59, 60, 61, 75, 89, 91, 400)


@pytest.fixture
def people():
    """One person of each role in one team, and a stranger of another one."""
    team = make_team()
    people = [make_user(role, team=team, takes_leads=True) for role in Role]
    return [*people, make_user(team=make_team(), takes_leads=True)]


def plant(people):
    """Add leads, tasks and submissions of every age, owner, stage and state."""
    now, stages = timezone.now(), list(make_pipeline().stages.all())
    campaign, form = Campaign.objects.create(name="Spring", utm_campaign="spring"), make_form()
    for n, days in enumerate(DAYS * 4):
        at, stage, owner = now - timedelta(days=days), stages[n % 4], [*people, None][n % 7]
        closed = now - timedelta(days=days // 3) if stage.type != "open" else None
        lead = make_lead(
            owner,
            stage=stage,
            created_at=at,
            closed_at=closed,
            first_response_at=at + timedelta(hours=1) if n % 3 == 0 else None,
            source=["", "bing", "a&b c"][n % 3],
            campaign=campaign if n % 2 else None,
            form=form,
        )
        lead.tasks.create(title="Call", owner=owner, due_at=at + timedelta(days=20))
        make_submission(form, received_at=at, state=["quarantined", "accepted"][n % 2])
    make_submission(form, parked_at=now)


def texts(markup):
    return re.sub(r"<[^>]+>", " ", html.unescape(markup)).split()


def listed(client, url):
    return client.get(html.unescape(url)).context["cl"].paginator.shown_count


def linked_numbers(page):
    """Yield the name, address and number of each tile, bar and row that links to a list."""
    markup = page.content.decode()
    yield from tiles(page)
    yield from stages(page)
    yield from origins(markup)
    yield from workload(markup)
    for fact in re.findall(r"<dd>.*?</dd>", markup, re.S):
        if link := re.search(r'href="([^"]+)"[^>]*>([^<]+)<', fact):
            yield link[1], link[1], link[2]


def tiles(page):
    return [(str(tile.label), tile.url, tile.value) for tile in page.context["tiles"] if tile.url]


def stages(page):
    leads = reverse("admin:leads_lead_changelist")
    rows = [
        item["row"]
        for each in page.context["sections"]
        if each.template == "stages"
        for item in each.data
    ]
    for row in rows:
        yield row.name, f"{leads}?view=open&stage={row.numbers['stage']}", row.numbers["shown"]


def origins(markup):
    for row in re.findall(r"<li>(?:(?!</li>).)*ws-total(?:(?!</li>).)*</li>", markup, re.S):
        if link := re.search(r'href="([^"]+)"', row):
            (number,) = re.findall(r"ws-total\">([^<]+)<", row)
            yield link[1], link[1], number


def workload(markup):
    for row in re.findall(r"<tr>(?:(?!</tr>).)*</tr>", markup, re.S):
        cells = [" ".join(texts(cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)]
        for link in re.findall(r'href="([^"]+)"', row):
            yield link, link, cells[1] if "view=open" in link else cells[2]


@pytest.mark.parametrize("cap", [10_000, 3])
@pytest.mark.parametrize("role", list(Role))
def test_each_number_of_home_is_that_of_its_list(role, cap, people, browse, monkeypatch):
    plant(people)
    monkeypatch.setattr(pagination, "CAP", cap)
    reader = next(person for person in people if person.role == role)
    client = browse(reader)

    found = list(linked_numbers(client.get(HOME)))

    assert len(found) >= 3
    wrong = [(name, number, listed(client, url)) for name, url, number in found]
    assert not [each for each in wrong if each[1] != each[2]]


@pytest.mark.parametrize("sees", list(Visibility))
def test_numbers_follow_what_a_person_sees(sees, people, browse):
    plant(people)
    marketer = next(person for person in people if person.role == Role.MARKETER)
    marketer.visibility = sees
    marketer.save()
    client = browse(marketer)

    for name, url, number in linked_numbers(client.get(HOME)):
        assert (name, number) == (name, listed(client, url))


def test_new_leads_are_those_of_the_chart(people, browse):
    plant(people)
    page = browse(people[0]).get(HOME)

    tile = next(tile for tile in page.context["tiles"] if tile.label == "New leads")
    chart = next(each for each in page.context["sections"] if each.template == "chart")

    assert tile.value == chart.more["total"] == str(sum(bar["count"] for bar in chart.data))


def test_lead_won_today_counts_whatever_its_age(browse):
    won = make_pipeline().stages.get(type="won")
    now = timezone.now()
    make_lead(stage=won, created_at=now - timedelta(days=75), closed_at=now)
    make_lead(stage=won, created_at=now - timedelta(days=75), closed_at=now - timedelta(days=31))

    page = browse(make_user(Role.VIEWER)).get(HOME)

    assert {tile.label: tile.value for tile in page.context["tiles"]}["Won"] == "1"


@pytest.mark.parametrize("kind", ["open", "won", "lost"])
def test_each_lead_is_open_won_or_lost_only(kind):
    stages = list(make_pipeline().stages.all())
    for stage in stages:
        for closed_at in (None, timezone.now()):
            make_lead(stage=stage, closed_at=closed_at)
    stages[1].type = kind
    stages[1].save()

    kinds = [Lead.objects.open(), Lead.objects.won(), Lead.objects.lost()]
    assert sum(rows.count() for rows in kinds) == Lead.objects.count()
    keys = [key for rows in kinds for key in rows.values_list("pk", flat=True)]
    assert len(keys) == len(set(keys))
