import pytest
from django.core import mail

from leadgen.accounts import notifications
from leadgen.accounts.models import Notification
from leadgen.events.models import Event
from leadgen.leads import services
from leadgen.leads.handlers import on_lead_assigned
from leadgen.leads.models import Contact
from tests.factories import make_lead, make_user

pytestmark = pytest.mark.django_db


def assigned(lead, owner, actor=None):
    services.assign(lead, owner, actor=actor)
    on_lead_assigned(Event.objects.about(lead).get(kind="lead.assigned"))
    notifications.deliver()


def test_the_new_owner_gets_a_mail_with_the_link(settings):
    settings.PUBLIC_URL = "https://leads.example.com"
    owner = make_user()
    lead = make_lead(message="Please call.", source="google", medium="cpc")
    assigned(lead, owner, actor=make_user())
    (message,) = mail.outbox
    assert message.to == [owner.email]
    assert message.subject == f"New lead: {lead.contact.name}"
    assert "Please call." in message.body
    assert f"https://leads.example.com/admin/leads/lead/{lead.pk}/change/" in message.body


def test_person_who_takes_a_lead_gets_no_mail():
    owner = make_user()
    assigned(make_lead(), owner, actor=owner)
    assert not mail.outbox


@pytest.mark.parametrize("setting", [{"notify_by_email": False}, {"is_active": False}])
def test_inactive_owner_and_owner_without_mail_get_none(setting):
    owner, lead = make_user(), make_lead()
    services.assign(lead, owner, actor=None)
    type(owner).objects.filter(pk=owner.pk).update(**setting)
    on_lead_assigned(Event.objects.about(lead).latest("id"))
    notifications.deliver()
    assert not mail.outbox


def test_removed_owner_causes_no_mail():
    lead = make_lead(make_user())
    assigned(lead, None)
    assert not mail.outbox


def test_a_name_with_line_breaks_cannot_add_mail_headers():
    contact = Contact.objects.create(name="Ada\r\nBcc: everybody@example.com")
    assigned(make_lead(contact=contact), make_user())
    assert mail.outbox[0].subject == "New lead: Ada Bcc: everybody@example.com"
    assert mail.outbox[0].recipients() == mail.outbox[0].to


def test_handler_stores_the_lead_and_nothing_about_the_person():
    owner, lead = make_user(), make_lead(message="Please call.")
    services.assign(lead, owner, actor=None)
    on_lead_assigned(Event.objects.about(lead).get(kind="lead.assigned"))
    assert not mail.outbox
    assert Notification.objects.get().data == {"lead": str(lead.pk)}


def test_event_read_again_sends_no_second_mail():
    lead = make_lead()
    assigned(lead, make_user())
    on_lead_assigned(Event.objects.about(lead).get(kind="lead.assigned"))
    notifications.deliver()
    assert len(mail.outbox) == 1
