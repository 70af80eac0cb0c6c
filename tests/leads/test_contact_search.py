"""A search by contact finds the same rows, newest first, whether few or many contacts match."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from leadgen.leads.models import Contact, Lead
from leadgen.leads.persons import search
from leadgen.leads.persons.search import ContactSearch
from tests.factories import make_lead

pytestmark = pytest.mark.django_db

SOME = 9


@pytest.fixture(params=["few", "many", "many, none expected"])
def plan(request, monkeypatch):
    """Search by the contacts, or by the rows: then in chunks of two, which double."""
    monkeypatch.setattr(search, "_BATCH", 2)
    monkeypatch.setattr(search, "_STEADY_BATCHES", 1)
    if request.param != "few":
        monkeypatch.setattr(search, "MAX_CONTACTS", 0)
    if request.param == "many, none expected":
        monkeypatch.setattr(search, "_estimate", lambda rows: 0)
    return request.param


def plant():
    """Add leads of two persons each, two of each time, the older contacts with newer leads."""
    now, leads = timezone.now(), []
    for n in range(SOME):
        for name in ("Ada Lovelace", "Grace Hopper"):
            contact = Contact.objects.create(name=name)
            leads.append(make_lead(contact=contact, created_at=now - timedelta(days=n // 2)))
    return [lead for lead in leads if lead.contact.name.startswith("Ada")]


def newest_first(leads):
    return [lead.pk for lead in sorted(leads, key=lambda x: (x.created_at, x.pk), reverse=True)]


def found(text, limit=100):
    return ContactSearch(text, "contact", F("created_at")).keys(Lead.objects.all(), limit)


def test_search_by_contact_is_newest_first(plan):
    leads = plant()
    assert found("ada") == newest_first(leads)
    assert found("ada", limit=4) == newest_first(leads)[:4]


def test_search_by_contact_keeps_filters(plan):
    leads = plant()
    closed = leads[:3]
    Lead.objects.filter(pk__in=[lead.pk for lead in closed]).update(closed_at=timezone.now())
    found_by = ContactSearch("lovelace", "contact", F("created_at"))
    assert found_by.keys(Lead.objects.open(), 100) == newest_first(leads[3:])


@pytest.mark.parametrize("text", ["nobody", "...", "!"])
def test_search_by_contact_can_find_nothing(plan, text):
    plant()
    assert found(text) == []


def test_search_of_contacts_is_latest_first(plan):
    leads = plant()
    found_by = ContactSearch("ada", "pk", F("pk"))
    assert found_by.keys(Contact.objects.all(), 100) == [lead.contact_id for lead in leads][::-1]
