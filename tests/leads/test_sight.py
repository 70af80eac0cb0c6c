"""Enquiries come to the front, and tasks stay with persons who see their leads."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.utils import timezone

from leadgen.accounts import notifications
from leadgen.accounts.roles import Role
from leadgen.accounts.visibility import visible, visible_rows
from leadgen.capture import services as capture
from leadgen.events.models import Event
from leadgen.leads import services
from leadgen.leads.bulk_services import assign_leads
from leadgen.leads.handlers import on_submission_added
from leadgen.leads.intake.batches import drain
from leadgen.leads.models import Lead, Task
from leadgen.leads.querysets import LATEST_ENQUIRY_FIRST
from leadgen.leads.timeline import describe
from tests.factories import make_lead, make_submission, make_team, make_user

pytestmark = pytest.mark.django_db

ADA = {"name": "Ada", "email": "ada@example.com"}
BOB = {"name": "Bob", "email": "bob@example.com"}


def waiting():
    return list(Lead.objects.unanswered().order_by(*LATEST_ENQUIRY_FIRST))


def handle_messages():
    for event in Event.objects.filter(kind="lead.submission_added").order_by("id"):
        on_submission_added(event)
    notifications.deliver()


def test_message_on_an_answered_lead_moves_it_to_the_front(send):
    rep = make_user(takes_leads=True)
    send(**ADA)
    lead = Lead.objects.get()
    services.add_note(lead, "Called", actor=rep)
    send(**BOB)
    assert [each.contact.name for each in waiting()] == ["Bob"]
    send(**ADA, message="URGENT, we sign tomorrow")
    assert [each.contact.name for each in waiting()] == ["Ada", "Bob"]


def test_second_message_before_an_answer_moves_to_front(send):
    send(**ADA)
    send(**BOB)
    send(**ADA)
    assert [each.contact.name for each in waiting()] == ["Ada", "Bob"]


def test_an_act_of_a_person_ends_the_wait(send):
    rep = make_user(takes_leads=True)
    for _ in range(2):
        send(**ADA)
    lead = Lead.objects.get()
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=rep)
    assert waiting() == [lead]
    services.complete_task(task, actor=rep)
    assert waiting() == []
    assert not Lead.objects.get().is_waiting


def test_owner_is_mailed_once_about_new_messages(send):
    rep = make_user(takes_leads=True)
    send(**ADA)
    services.add_note(Lead.objects.get(), "Called", actor=rep)
    for number in range(3):
        send(**ADA, message=f"Message {number}")
    handle_messages()
    handle_messages()
    (message,) = mail.outbox
    assert (message.to, message.subject) == ([rep.email], "New message: Ada")


def test_new_message_without_owner_causes_no_mail(send):
    for _ in range(2):
        send(**ADA)
    handle_messages()
    assert not mail.outbox


@pytest.mark.parametrize("verb", ["release", "retry"])
def test_released_submission_moves_to_the_front(send, published_form, verb):
    send(**ADA)
    received = timezone.now() - timedelta(days=6)
    held = {"state": "quarantined"} if verb == "release" else {"parked_at": received}
    row = make_submission(published_form, answers=BOB, received_at=received, **held)
    getattr(capture, verb)(row, actor=make_user(Role.ADMIN))
    drain()
    row.refresh_from_db()
    lead = waiting()[0]
    assert (lead.contact.name, row.received_at) == ("Bob", received)
    assert lead.created_at == row.passed_on_at
    assert lead.created_at - received > timedelta(days=5)


def test_managers_see_leads_of_no_team_and_no_other_teams():
    manager = make_user(Role.SALES_MANAGER, team=make_team())
    lead, teamless = make_lead(None), make_lead(make_user())
    make_lead(make_user(team=make_team()))
    assert set(visible(Lead, manager)) == {lead, teamless}
    assert list(visible_rows(Lead.objects.unowned(), manager)) == [lead]


@pytest.mark.parametrize("fields", [{"is_active": False}, {"role": Role.VIEWER}])
def test_lead_of_an_owner_who_cannot_work_counts_as_unowned(fields):
    owner = make_user()
    lead = make_lead(owner)
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=owner)
    type(owner).objects.filter(pk=owner.pk).update(**fields)
    assert (list(Lead.objects.unowned()), list(Task.objects.unowned())) == ([lead], [task])


@pytest.mark.parametrize("is_bulk", [False, True])
def test_tasks_follow_their_lead(is_bulk):
    rep, colleague, boss = make_user(), make_user(), make_user(Role.ADMIN)
    lead = make_lead(rep)
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=rep)
    kept = services.add_task(lead, "Check", due_at=None, owner=boss, actor=rep)
    if is_bulk:
        assign_leads([lead.pk], colleague, actor=boss)
    else:
        services.assign(lead, colleague, actor=boss)
    owners = dict(Task.objects.values_list("pk", "owner"))
    assert owners == {task.pk: colleague.pk, kept.pk: boss.pk}
    event = Event.objects.about(lead).get(kind="lead.task_assigned")
    names = {rep.pk: "Robin", colleague.pk: "Sam"}
    item = describe(event, names)
    assert (item.text, item.detail) == ("Task for Sam: Call", "Was Robin")


def test_task_owner_must_see_the_lead():
    rep, stranger, viewer = make_user(), make_user(), make_user(Role.VIEWER)
    lead = make_lead(rep)
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=rep)
    for other in (stranger, viewer, make_user(Role.ADMIN, is_active=False)):
        with pytest.raises(ValidationError):
            services.assign_task(task, other, actor=rep)
        with pytest.raises(ValidationError):
            services.add_task(lead, "Call", due_at=None, owner=other, actor=rep)
    assert Task.objects.get().owner == rep


def test_reopened_task_moves_to_the_owner_of_the_lead():
    rep, colleague = make_user(), make_user()
    lead = make_lead(rep)
    task = services.add_task(lead, "Call", due_at=None, owner=None, actor=rep)
    services.complete_task(task, actor=rep)
    services.assign(lead, colleague, actor=rep)
    task.refresh_from_db()
    services.reopen_task(task, actor=colleague)
    assert Task.objects.get().owner == colleague
