from datetime import timedelta

import pytest
from django.db import DataError
from django.utils import timezone

from leadgen.events.models import Event
from leadgen.leads.models import Company, Contact
from leadgen.lib import bulk

pytestmark = pytest.mark.django_db


def named(*names):
    return [{"name": name, "website": "", "created_at": timezone.now()} for name in names]


def test_rows_are_inserted_with_their_keys_in_the_given_order():
    keys = bulk.insert(Company, named("Looms", "Engines", "Ångström \"' % \\ 🚀"))
    names = [Company.objects.get(pk=key).name for key in keys]
    assert names == ["Looms", "Engines", "Ångström \"' % \\ 🚀"]


def test_existing_row_is_skipped_with_new_only():
    bulk.insert(Company, named("Looms"))
    (key,) = bulk.insert(Company, named("looms", "Engines"), new_only=True)
    assert Company.objects.get(pk=key).name == "Engines"


def test_omitted_column_gets_the_database_default():
    told = {"kind": "x.done", "subject_type": "x", "subject_id": "1", "data": {"a": [1, None]}}
    (key,) = bulk.insert(Event, [told])
    event = Event.objects.get(pk=key)
    assert event.data == {"a": [1, None]}
    assert event.transaction > 0
    assert timezone.now() - event.at < timedelta(minutes=1)


def test_objects_are_created_as_save_would_and_get_their_keys():
    ada, bob = Contact(name="Ada", provenance={"name": "person"}), Contact(name="Bob")
    bulk.create([ada, bob])
    found = list(Contact.objects.order_by("name"))
    assert found == [ada, bob]
    assert (found[0].provenance, found[1].email) == ({"name": "person"}, "")


def test_an_update_writes_the_named_fields_only():
    ada, bob = (Contact.objects.create(name=name, email="a@example.com") for name in ("Ada", "Bob"))
    ada.name, ada.email = "Ada King", "other@example.com"
    ada.company = Company.objects.create(name="Looms")
    bulk.update([ada], ["name", "company", "updated_at"])
    before = ada.updated_at
    ada.refresh_from_db()
    bob.refresh_from_db()
    assert (ada.name, ada.email, ada.company.name) == ("Ada King", "a@example.com", "Looms")
    assert (ada.updated_at, bob.name) == (before, "Bob")


def test_a_text_that_is_too_long_for_its_column_is_refused():
    with pytest.raises(DataError):
        bulk.insert(Company, named("x" * 201))


def test_nothing_to_write_is_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        bulk.create([])
        bulk.update([], ["name"])
        assert bulk.insert(Company, []) == []
