"""Contacts of a batch: match each item by its identities, or create a contact."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress

from django.db import connection, transaction
from django.utils import timezone

from leadgen.leads import lookup
from leadgen.leads.intake import matching
from leadgen.leads.intake.items import IntakeItem
from leadgen.leads.intake.matching import Key, Profile
from leadgen.leads.models import Company, Contact, Identity
from leadgen.lib import bulk

_ATTEMPTS = 10
_FILLED = ("name", "email", "phone", "job_title", "country")
_WRITTEN = (*_FILLED, "company", "provenance", "updated_at")


class OvertakenError(Exception):
    """Another transaction has just created a contact with one of the same identities."""


def resolve_contacts(items: Sequence[IntakeItem]) -> None:
    """Set the contact of each item, saved and locked; fill its empty values from the item.

    When two batches create the same person, one waits at the unique constraint of Identity, rolls
    its own contacts back to the savepoint and matches again: at most _ATTEMPTS times, then
    OvertakenError.
    """
    companies = lookup.companies({item.details.company for item in items if item.details.company})
    for _ in range(_ATTEMPTS):
        with suppress(OvertakenError), transaction.atomic():
            return _resolve(items, companies)
    raise OvertakenError("Other batches created the same contacts at each attempt.")


def _resolve(items: Sequence[IntakeItem], companies: Mapping[str, Company]) -> None:
    # Sorted: locks are taken in one order everywhere, which prevents deadlocks.
    keys = sorted({key for item in items for key in item.details.keys})
    known, profiles = _owners(keys)
    persons, owners = matching.group([item.details for item in items], known, profiles)
    contacts = _contacts(set(persons) | set(owners.values()))
    for item, person in zip(items, persons, strict=True):
        item.contact = contacts[person]
        others = [owners[key] for key in item.details.keys if owners[key] != person]
        item.other = contacts[others[0]] if others else None
        item.differing = _fill(item, companies.get(item.details.company))
    changed = _save(contacts, {item.receipt for item in items})
    claimed = {key: contacts[owners[key]] for key in keys if key not in known}
    _claim(claimed)
    _reindex(changed, claimed)


def _owners(keys: Sequence[Key]) -> tuple[dict[Key, int], dict[int, Profile]]:
    """Return the contact of each known identity, and the profiles of these contacts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, value, contact_id, name, email FROM leads_identity "
            "JOIN unnest(%s::text[], %s::text[]) AS wanted(kind, value) USING (kind, value) "
            "JOIN leads_contact ON leads_contact.id = contact_id",
            [[kind for kind, _ in keys], [value for _, value in keys]],
        )
        rows = cursor.fetchall()
    owners = {(kind, value): contact for kind, value, contact, _, _ in rows}
    return owners, {contact: Profile(name, email) for _, _, contact, name, email in rows}


def _contacts(persons: Iterable[int]) -> dict[int, Contact]:
    existing = (
        Contact.objects.select_for_update(no_key=True, of=("self",))
        .select_related("company")
        .filter(pk__in=[person for person in persons if person > 0])
        .order_by("pk")
    )
    new = {person: Contact() for person in persons if person < 0}
    return {contact.pk: contact for contact in existing} | new


def _fill(item: IntakeItem, company: Company | None) -> dict[str, str]:
    """Fill the contact's empty values, with the receipt as provenance; return those that differ."""
    contact, differing = item.contact, {}
    values = {name: getattr(item.details, name) for name in _FILLED}
    for name, value in {**values, "company": company}.items():
        present = getattr(contact, name)
        if value and not present:
            setattr(contact, name, value)
            contact.provenance[name] = item.receipt
        elif value and str(value).casefold() != str(present).casefold():
            differing[name] = str(value)
    return differing


def _save(contacts: Mapping[int, Contact], receipts: AbstractSet[str]) -> set[int]:
    """Insert new contacts with their search text; update and return the others that changed."""
    new = [contact for person, contact in contacts.items() if person < 0]
    known = [contact for person, contact in contacts.items() if person > 0]
    changed = [each for each in known if not receipts.isdisjoint(each.provenance.values())]
    for contact in new:
        contact.index()
    bulk.create(new)
    bulk.update(changed, _WRITTEN)
    return {contact.pk for contact in changed}


def _claim(wanted: Mapping[Key, Contact]) -> None:
    now = timezone.now()
    rows = [
        {"kind": kind, "value": value, "contact_id": wanted[kind, value].pk, "created_at": now}
        for kind, value in wanted
    ]
    if len(bulk.insert(Identity, rows, new_only=True)) < len(rows):
        raise OvertakenError


def _reindex(changed: set[int], claimed: Mapping[Key, Contact]) -> None:
    """Write the search text of contacts that changed or got an identity that it lacks."""
    lacking = {c.pk for (_, value), c in claimed.items() if value not in c.search.lower()}
    if keys := changed | lacking:
        Contact.objects.filter(pk__in=keys).reindex()
