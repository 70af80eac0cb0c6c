"""Give every entry of a batch its contact: found by its identities, or new."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress

from django.db import connection, transaction
from django.utils import timezone

from leadgen.leads import lookup
from leadgen.leads.intake import matching
from leadgen.leads.intake.items import IntakeItem
from leadgen.leads.intake.matching import Key
from leadgen.leads.models import Company, Contact, Identity
from leadgen.lib import bulk

_ATTEMPTS = 10
_FILLED = ("name", "email", "phone", "job_title", "country")
_WRITTEN = (*_FILLED, "company", "provenance", "search", "updated_at")


class OvertakenError(Exception):
    """Somebody else has just made a contact with one of our identities."""


def resolve_contacts(entries: Sequence[IntakeItem]) -> None:
    """Set each entry's contact, saved and locked, with what was empty filled from the entry.

    Of two batches that meet the same new person one waits at the unique identity, then sees that
    it was overtaken, undoes its own contacts and looks again.
    """
    companies = lookup.companies({e.facts.company for e in entries if e.facts.company})
    for _ in range(_ATTEMPTS):
        with suppress(OvertakenError), transaction.atomic():
            return _resolve(entries, companies)
    raise OvertakenError("Other batches kept making the same contacts.")


def _resolve(entries: Sequence[IntakeItem], companies: Mapping[str, Company]) -> None:
    # In one order everywhere, so that two batches never wait for each other in a circle.
    keys = sorted({key for entry in entries for key in entry.facts.keys})
    known = _owners(keys)
    persons, owners = matching.group([entry.facts.keys for entry in entries], known)
    contacts = _contacts(set(persons) | set(owners.values()))
    for entry, person in zip(entries, persons, strict=True):
        entry.contact = contacts[person]
        others = [owners[key] for key in entry.facts.keys if owners[key] != person]
        entry.other = contacts[others[0]] if others else None
        entry.differing = _fill(entry, companies.get(entry.facts.company))
    _save(contacts, {entry.receipt for entry in entries})
    _claim({key: contacts[owners[key]] for key in keys if key not in known})


def _owners(keys: Sequence[Key]) -> dict[Key, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, value, contact_id FROM leads_identity "
            "JOIN unnest(%s::text[], %s::text[]) AS asked(kind, value) USING (kind, value)",
            [[kind for kind, _ in keys], [value for _, value in keys]],
        )
        return {(kind, value): contact for kind, value, contact in cursor.fetchall()}


def _contacts(persons: Iterable[int]) -> dict[int, Contact]:
    found = (
        Contact.objects.select_for_update(no_key=True, of=("self",))
        .select_related("company")
        .filter(pk__in=[person for person in persons if person > 0])
        .order_by("pk")
    )
    new = {person: Contact() for person in persons if person < 0}
    return {contact.pk: contact for contact in found} | new


def _fill(entry: IntakeItem, company: Company | None) -> dict[str, str]:
    """Fill what the contact lacks, noting the receipt; return the values that differ."""
    contact, differing = entry.contact, {}
    told = {name: getattr(entry.facts, name) for name in _FILLED}
    for name, value in {**told, "company": company}.items():
        present = getattr(contact, name)
        if value and not present:
            setattr(contact, name, value)
            contact.provenance[name] = entry.receipt
        elif value and str(value).casefold() != str(present).casefold():
            differing[name] = str(value)
    return differing


def _save(contacts: Mapping[int, Contact], receipts: AbstractSet[str]) -> None:
    changed = {p: c for p, c in contacts.items() if not receipts.isdisjoint(c.provenance.values())}
    for contact in changed.values():
        contact.index()
    bulk.create([contact for person, contact in contacts.items() if person < 0])
    bulk.update([contact for person, contact in changed.items() if person > 0], _WRITTEN)


def _claim(wanted: Mapping[Key, Contact]) -> None:
    now = timezone.now()
    rows = [
        {"kind": kind, "value": value, "contact_id": wanted[kind, value].pk, "created_at": now}
        for kind, value in wanted
    ]
    if len(bulk.insert(Identity, rows, new_only=True)) < len(rows):
        raise OvertakenError
