"""A verb for many rows does what the verb for one does."""

import pytest
from django.core.exceptions import ValidationError

from leadgen.events.models import Event
from leadgen.leads import services
from leadgen.leads.bulk_services import assign_leads, complete_tasks
from leadgen.leads.models import Lead, Task
from tests.factories import make_lead, make_team, make_user

pytestmark = pytest.mark.django_db


def leads_of_each_kind(owner):
    """One lead without owner, one of a colleague being worked, one of the owner's already."""
    colleague = make_user(team=make_team())
    return [make_lead(), make_lead(colleague, status="working"), make_lead(owner)]


def states(leads):
    rows = Lead.objects.filter(pk__in=[lead.pk for lead in leads]).order_by("pk")
    return list(rows.values_list("owner", "team", "status", "first_response_at", "message"))


def events(rows):
    found = Event.objects.filter(subject_id__in=[str(row.pk) for row in rows]).order_by("id")
    told = [(each.kind, each.actor_id, dict(each.data)) for each in found]
    for _, _, data in told:
        data.pop("task", None)  # its number
        data["undo"] = data.pop("undo")["status"]  # times and owners differ in each set
        data["previous"] = bool(data.get("previous"))  # another colleague in each set
    return told


@pytest.mark.parametrize("to_nobody", [False, True])
def test_bulk_assignment_equals_single_assignments(to_nobody):
    boss, owner = make_user(), make_user(team=make_team())
    alone, together = leads_of_each_kind(owner), leads_of_each_kind(owner)
    Lead.objects.update(message="Call me", team=owner.team)
    given = None if to_nobody else owner

    for lead in alone:
        services.assign(lead, given, actor=boss)
    changed = assign_leads([lead.pk for lead in together], given, actor=boss)

    assert changed == 2
    assert states(together) == states(alone)
    assert events(together) == events(alone)


def test_assigned_leads_become_the_most_recent():
    lead, owner = make_lead(), make_user()

    assign_leads([lead.pk], owner, actor=owner)

    assert Lead.objects.get().last_activity_at > lead.last_activity_at


def test_bulk_assignment_to_a_deactivated_person_is_refused():
    lead = make_lead()

    with pytest.raises(ValidationError, match="is deactivated"):
        assign_leads([lead.pk], make_user(is_active=False), actor=make_user())

    assert not Event.objects.exists()


def test_bulk_completion_equals_single_completions():
    actor = make_user()
    alone, together = ([make_lead(), make_lead(status="qualified")] for _ in range(2))
    for first, second in (alone, together):
        for lead, title in ((first, "Call"), (first, "Write"), (second, "Visit")):
            lead.tasks.create(title=title)

    for task in Task.objects.filter(lead__in=alone).order_by("pk"):
        services.complete_task(task, actor=actor)
    tasks = Task.objects.filter(lead__in=together)
    keys = list(tasks.values_list("pk", flat=True))

    assert complete_tasks(keys, actor=actor) == 3
    assert complete_tasks(keys, actor=actor) == 0
    assert not tasks.filter(done_at=None).exists()
    assert sorted(events(together), key=str) == sorted(events(alone), key=str)
    for lead, same in zip(together, alone, strict=True):
        lead.refresh_from_db()
        same.refresh_from_db()
        assert lead.status == same.status
        assert lead.first_response_at
