"""Contacts that once sent an address which is none of their identities any more."""

from collections.abc import Iterator

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from leadgen.capture.models import Submission
from leadgen.leads.persons.erasure import Person, matcher

_ROWS = 500


def former_contacts(person: Person) -> list[int]:
    """Return the contacts with submissions of a person whom no contact is known by.

    A colleague replaced the address on the contact's page, and the submissions keep what was sent.
    The address may have been mistyped and be another person's (ADR 0029), so a person decides. One
    pass over the submissions on leads, narrowed by the text of an email address.
    """
    is_theirs = matcher(person)
    return sorted(
        {
            contact
            for version, answers, contact in _sent(person)
            if isinstance(answers, dict) and is_theirs(version, answers)
        }
    )


def _sent(person: Person) -> Iterator[tuple[int, object, int]]:
    rows = Submission.objects.filter(link__isnull=False).exclude(state=Submission.State.ERASED)
    columns = (
        _narrowed(rows, person)
        .order_by()
        .values_list("version_id", "answers", "link__lead__contact_id")
    )
    return columns.iterator(chunk_size=_ROWS)


def _narrowed(rows: QuerySet[Submission], person: Person) -> QuerySet[Submission]:
    """Keep the rows whose text has an email of the person; a phone has too many spellings."""
    # JSON escapes quotes and backslashes, and the domain may be written in Unicode.
    names = [value.partition("@")[0] for kind, value in person.keys if kind == "email"]
    if len(names) < len(person.keys) or any(set(name) & set('"\\') for name in names):
        return rows
    found = Q()
    for name in names:
        found |= Q(text__icontains=name)
    return rows.annotate(text=Cast("answers", TextField())).filter(found)
