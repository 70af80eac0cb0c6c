"""What a person leaves behind goes where the caller says, or the change is refused."""

import pytest
from django.core.exceptions import ValidationError

from leadgen.accounts.models import User
from leadgen.accounts.roles import Role, Visibility
from leadgen.accounts.visibility import visible
from leadgen.events.models import Event
from leadgen.leads import services
from leadgen.leads.models import Lead
from leadgen.leads.ownership.person_services import Rule, update_person
from leadgen.leads.visibility import sees
from leadgen.lib import row_limit
from tests.factories import make_lead, make_team, make_user

pytestmark = pytest.mark.django_db

LEAVES = {"is_active": False}


@pytest.fixture
def boss():
    return make_user(Role.ADMIN)


@pytest.fixture
def rep():
    return make_user(team=make_team(), takes_leads=True)


def owner_of(row):
    return type(row).objects.get(pk=row.pk).owner


def change(user, values, destination, boss):
    update_person(user, values, destination=destination, actor=boss)


@pytest.mark.parametrize("values", [LEAVES, {"role": Role.VIEWER}, {"role": Role.MARKETER}])
def test_person_with_open_leads_needs_a_handover_rule(rep, boss, values):
    make_lead(rep)
    with pytest.raises(ValidationError, match=r"1 lead and 0 tasks\. Choose") as refused:
        change(User.objects.get(pk=rep.pk), values, None, boss)
    assert list(refused.value.message_dict) == ["handover"]
    assert User.objects.get(pk=rep.pk).works_leads


def test_person_without_open_work_needs_no_handover_rule(rep, boss):
    lead = make_lead(rep)
    services.move(lead, lead.pipeline.stages.get(type="won"), actor=rep)
    change(rep, LEAVES, None, boss)
    assert not User.objects.get(pk=rep.pk).takes_leads
    assert owner_of(lead) == rep


def test_leads_and_tasks_go_to_the_named_colleague(rep, boss):
    colleague, lead = make_user(team=make_team()), make_lead(rep)
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=rep)
    change(rep, LEAVES, colleague, boss)
    assert owner_of(lead) == owner_of(task) == colleague
    assert Lead.objects.get().team == colleague.team
    kinds = set(lead.timeline().values_list("kind", "actor"))
    assert {("lead.assigned", boss.pk), ("lead.task_assigned", boss.pk)} <= kinds


def test_round_robin_assigns_to_others_who_take_leads(rep, boss):
    others = [make_user(takes_leads=True) for _ in range(2)]
    make_user(Role.VIEWER, takes_leads=True)
    leads = [make_lead(rep) for _ in range(4)]
    change(rep, LEAVES, Rule.ROUND_ROBIN, boss)
    assert [owner_of(lead) for lead in leads] == others * 2


def test_round_robin_without_other_persons_is_refused(rep, boss):
    make_lead(rep)
    with pytest.raises(ValidationError, match="No other person gets new leads"):
        change(rep, LEAVES, Rule.ROUND_ROBIN, boss)


def test_leads_of_no_owner_keep_their_team(rep, boss):
    lead = make_lead(rep)
    change(rep, LEAVES, Rule.NO_OWNER, boss)
    assert owner_of(lead) is None
    assert list(Lead.objects.unowned().filter(team=rep.team)) == [lead]


@pytest.mark.parametrize("fields", [{"is_active": False}, {"role": Role.VIEWER}])
def test_handover_to_a_person_without_lead_rights_is_refused(rep, boss, fields):
    make_lead(rep)
    other = make_user(**{"role": Role.SALES_REP, **fields})
    with pytest.raises(ValidationError, match=r"deactivated|may not work leads"):
        change(rep, LEAVES, other, boss)


def test_task_on_a_lead_of_another_moves_to_its_owner(boss):
    team = make_team()
    manager, rep = make_user(Role.SALES_MANAGER, team=team), make_user(team=team)
    task = services.add_task(make_lead(rep), "Check", due_at=None, owner=manager, actor=rep)
    change(manager, LEAVES, Rule.NO_OWNER, boss)
    assert owner_of(task) == rep


@pytest.mark.parametrize("values", [{"visibility": Visibility.OWN}, {"role": Role.SALES_REP}])
def test_task_out_of_sight_moves_to_the_leads_owner(boss, values):
    team = make_team()
    manager, rep = make_user(Role.SALES_MANAGER, team=team), make_user(team=team)
    task = services.add_task(make_lead(rep), "Check", due_at=None, owner=manager, actor=rep)
    change(manager, values, None, boss)
    assert owner_of(task) == rep


def test_leads_go_along_to_the_new_team(rep, boss):
    lead, south = make_lead(rep), make_team("South")
    manager = make_user(Role.SALES_MANAGER, team=south)
    with pytest.raises(ValidationError, match="Choose where they go"):
        change(User.objects.get(pk=rep.pk), {"team": south}, None, boss)
    change(rep, {"team": south}, Rule.ALONG, boss)
    assert owner_of(lead) == rep
    assert list(visible(Lead, manager)) == [lead]
    assert Event.objects.get(kind="lead.team_changed").data["name"] == "South"


def test_leads_stay_with_the_old_team(rep, boss):
    lead, mate = make_lead(rep), make_user(team=rep.team)
    change(rep, {"team": make_team()}, mate, boss)
    assert owner_of(lead) == mate


def test_first_team_of_a_person_gets_the_leads(boss):
    rep, team = make_user(), make_team()
    lead = make_lead(rep)
    change(rep, {"team": team}, None, boss)
    assert list(Lead.objects.filter(team=team)) == [lead]


def test_more_than_the_limit_can_only_lose_its_owner(rep, boss, monkeypatch):
    monkeypatch.setattr(row_limit, "MAX_ROWS", 2)
    leads = [make_lead(rep) for _ in range(3)]
    with pytest.raises(ValidationError, match="More than 2 leads"):
        change(User.objects.get(pk=rep.pk), LEAVES, make_user(), boss)
    change(rep, LEAVES, Rule.NO_OWNER, boss)
    assert set(Lead.objects.unowned()) == set(leads)


def test_reopened_lead_loses_an_owner_who_left(rep, boss):
    lead = make_lead(rep)
    won, new = (lead.pipeline.stages.filter(type=kind)[0] for kind in ("won", "open"))
    services.move(lead, won, actor=rep)
    change(rep, LEAVES, None, boss)
    lead = Lead.objects.get()
    services.move(lead, new, actor=boss)
    assert owner_of(lead) is None


def test_reopened_lead_joins_its_owners_new_team(rep, boss):
    lead = make_lead(rep)
    won, new = (lead.pipeline.stages.filter(type=kind)[0] for kind in ("won", "open"))
    services.move(lead, won, actor=rep)
    change(rep, {"team": make_team()}, None, boss)
    lead = Lead.objects.get()
    services.move(lead, new, actor=boss)
    assert Lead.objects.get().team == User.objects.get(pk=rep.pk).team


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("sight", ["", *Visibility])
@pytest.mark.parametrize("has_team", [True, False])
def test_sees_equals_the_rows_that_are_visible(role, sight, has_team):
    team = make_team()
    user = make_user(role, visibility=sight, team=team if has_team else None)
    mate, stranger = make_user(team=team), make_user(team=make_team())
    owners = (user, mate, stranger, make_user(), None)
    leads = [make_lead(owner) for owner in owners] + [make_lead(None, team=team)]
    shown = set(visible(Lead, user))
    assert {lead for lead in leads if sees(user, lead)} == shown
