import pytest
from django.core.exceptions import ValidationError

from leadgen.leads import record_services
from leadgen.leads.models import Contact, Identity, Lead

pytestmark = pytest.mark.django_db


def correct(contact, **values):
    record_services.update_contact(contact, values, actor=None)
    contact.refresh_from_db()
    return contact


def known_by(contact):
    return sorted(contact.identities.values_list("value", flat=True))


def test_a_corrected_email_is_known_from_then_on(send):
    send(name="Ada", email="jhon@example.com", phone="+4930901820")
    contact = correct(Contact.objects.get(), email=" John@Example.com ")
    assert (contact.email, known_by(contact)) == (
        "John@Example.com",
        ["+4930901820", "john@example.com"],
    )
    send(name="John", email="john@example.com")
    assert Lead.objects.get().submissions_count == 2


def test_the_mistyped_email_is_free_for_its_owner(send):
    send(name="John", email="jhon@example.com")
    correct(Contact.objects.get(), email="john@example.com")
    send(name="Jhon", email="jhon@example.com")
    assert Contact.objects.count() == 2


def test_a_corrected_phone_is_stored_and_known_in_e164(send):
    send(name="Ada", email="ada@example.com", phone="+4930901821")
    contact = correct(Contact.objects.get(), phone="030 901820", country="de")
    assert (contact.phone, contact.country) == ("+4930901820", "DE")
    assert known_by(contact) == ["+4930901820", "ada@example.com"]
    send(phone="+49 30 901820")
    assert Lead.objects.get().submissions_count == 2


def test_a_removed_email_identifies_no_longer(send):
    send(name="Ada", email="ada@example.com", phone="+4930901820")
    contact = correct(Contact.objects.get(), email="")
    assert known_by(contact) == ["+4930901820"]


def test_further_addresses_stay_when_one_is_corrected(send):
    send(name="Ada", email="ada@example.com", phone="+4930901820")
    send(name="Ada", email="ada@example.org", phone="+4930901820")
    contact = correct(Contact.objects.get(), email="ada@example.net")
    assert known_by(contact) == ["+4930901820", "ada@example.net", "ada@example.org"]


def test_correcting_back_restores_the_identity(send):
    send(name="Ada", email="ada@example.com")
    contact = correct(Contact.objects.get(), email="eve@example.com")
    assert known_by(correct(contact, email="ada@example.com")) == ["ada@example.com"]


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("email", "not an address", "is not an email address"),
        ("email", "ada@", "is not an email address"),
        ("email", "o\u2019brien@example.com", "Replace “\u2019” with '"),
        ("email", "a\u2014b@example.com", "Replace “\u2014” with -"),
        ("email", "\u200bada@example.com", "invisible"),
        ("phone", "call me", "is not a whole phone number"),
        ("phone", "030 901820", "with its country code"),
        ("phone", "12", "is not a whole phone number"),
        ("country", "Germany", "is not a country code"),
    ],
)
def test_nonsense_is_refused_with_the_fix(field, text, message):
    contact = Contact.objects.create(name="Ada")
    with pytest.raises(ValidationError, match=message) as refused:
        correct(contact, **{field: text})
    assert list(refused.value.message_dict) == [field]


def test_an_email_of_another_contact_is_refused(send):
    send(name="Ada", email="ada@example.com")
    send(name="Bob", email="bob@example.com")
    bob = Contact.objects.get(name="Bob")
    with pytest.raises(ValidationError, match="Another contact is known by this email"):
        correct(bob, email="ADA@example.com")
    bob.refresh_from_db()
    assert (bob.email, known_by(bob)) == ("bob@example.com", ["bob@example.com"])
    assert Identity.objects.count() == 2


def test_unchanged_invalid_text_is_not_validated():
    contact = Contact.objects.create(name="Ada", email="not an address")
    assert correct(contact, name="Ada King").name == "Ada King"
