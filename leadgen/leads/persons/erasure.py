"""Erasure of a person: contact, leads, notes, tasks, events and submissions (ADR 0030)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db import transaction
from django.utils import timezone

from leadgen.accounts import sessions
from leadgen.accounts.models import Notification
from leadgen.capture.erasure import erase_submissions, find_on_no_lead
from leadgen.capture.models import Submission
from leadgen.capture.spool import replay
from leadgen.capture.spool.replay import SpoolErasure
from leadgen.events.models import Event
from leadgen.events.services import Fact, emit, emit_many, redact
from leadgen.forms.format.definition import Definition
from leadgen.forms.models import FormVersion
from leadgen.leads import lifecycle
from leadgen.leads.intake import matching
from leadgen.leads.intake.matching import Key, Profile
from leadgen.leads.models import Contact, Identity, Lead, LeadSubmission, Note, Stage, Task
from leadgen.lib import bulk

ERASED_TITLE = "Erased"
# Leads of one transaction, with their notes, tasks and events.
_LEADS = 100
# Keys of events that name rows, stages, forms, users and times, but nothing that a person sent.
_KEPT = frozenset(
    {
        *("receipt", "form", "source", "medium", "campaign", "owner", "previous", "by", "from"),
        *("to", "stage", "type", "note", "task", "due_at", "undo", "undo_of"),
        *("possible_duplicate", "leads", "submissions", "team"),
    }
)


class AmbiguousPersonError(Exception):
    """Several contacts have this phone number; the message names them."""


@dataclass(frozen=True, slots=True)
class Person:
    """The contacts of one person, and what submissions of that person are known by."""

    contacts: list[Contact]
    keys: frozenset[Key]
    profile: Profile

    def sent(self, details: matching.PersonDetails) -> bool:
        """Return whether the person sent these details: by intake's rule for shared phones."""
        shared = self.keys.intersection(details.keys)
        if any(kind == "email" for kind, _ in shared):
            return True
        return bool(shared) and not matching.is_another_person(details, self.profile)


@dataclass(slots=True)
class Erasure:
    """Numbers of rows that an erasure concerns or concerned."""

    contacts: int = 0
    leads: int = 0
    submissions: int = 0
    on_no_lead: int = 0
    notes: int = 0
    tasks: int = 0
    spool: SpoolErasure = field(default_factory=SpoolErasure)


def find(text: str) -> Person:
    """Find a person by email address, phone number with country code, or number of a contact.

    The contacts may be none: submissions in review have no contact yet. Raise AmbiguousPersonError
    for a phone number of several contacts, ValueError for a text that is none of the three.
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and not text.startswith("00"):
        return _person(list(Contact.objects.filter(pk=int(text))), set())
    email, phone = matching.email_key(text), matching.phone_key(text)
    if email:
        return _person(_contacts("email", email), {("email", email)})
    if not phone:
        raise ValueError("Write an email address, a phone number with +, or a contact's number.")
    contacts = _contacts("phone", phone)
    if len(contacts) > 1:
        numbers = ", ".join(str(contact.pk) for contact in contacts)
        raise AmbiguousPersonError(f"Contacts {numbers} have this number: name one of them.")
    return _person(contacts, {("phone", phone)})


def plan(person: Person) -> Erasure:
    """Count what an erasure would concern; change nothing."""
    leads = Lead.objects.filter(contact__in=person.contacts)
    is_theirs = matcher(person)
    links = LeadSubmission.objects.filter(lead__in=leads)
    return Erasure(
        contacts=len(person.contacts),
        leads=leads.count(),
        submissions=links.exclude(submission__state=Submission.State.ERASED).count(),
        on_no_lead=len(find_on_no_lead(is_theirs)),
        notes=Note.objects.filter(lead__in=leads).count(),
        tasks=Task.objects.filter(lead__in=leads).count(),
        spool=replay.erase(is_theirs, dry_run=True),
    )


def erase(person: Person) -> Erasure:
    """Erase the person; emit submission.erased, lead.erased and contact.erased without names.

    Each batch is one transaction and the identities go last, so that a run after a killed one
    continues. Raise what the storage raises, before anything is changed in the database.
    """
    is_theirs = matcher(person)
    done = Erasure(spool=replay.erase(is_theirs))
    done.on_no_lead = erase_submissions(find_on_no_lead(is_theirs))
    for contact in person.contacts:
        before = (done.leads, done.submissions)
        for keys in _batches(contact):
            _erase_leads(keys, done)
        _erase_contact(contact, done.leads - before[0], done.submissions - before[1])
        done.contacts += 1
        # What intake attached before the identities went.
        for keys in _batches(contact):
            _erase_leads(keys, done)
    sessions.delete_messages()
    return done


def _contacts(kind: str, key: str) -> list[Contact]:
    """Return the contact of the identity, and contacts that show the value without owning it."""
    owners = set(Identity.objects.filter(kind=kind, value=key).values_list("contact", flat=True))
    shown = Contact.objects.matching(key).filter(**{f"{kind}__iexact": key})
    keys = owners | set(shown.values_list("pk", flat=True))
    return list(Contact.objects.filter(pk__in=keys).order_by("pk"))


def _person(contacts: list[Contact], keys: set[Key]) -> Person:
    identities = Identity.objects.filter(contact__in=contacts).values_list("kind", "value")
    first = contacts[0] if contacts else Contact()
    return Person(contacts, frozenset(keys.union(identities)), Profile(first.name, first.email))


def matcher(person: Person) -> replay.Matches:
    """Return the test whether answers to a form version are of this person."""

    @cache
    def definition(version: int) -> Definition | None:
        found = FormVersion.objects.filter(pk=version).first()
        return found.read() if found else None

    def is_theirs(version: int, answers: Mapping[str, Any]) -> bool:
        read = definition(version)
        return read is not None and person.sent(matching.read(read, answers))

    return is_theirs


def _batches(contact: Contact) -> Iterator[list[int]]:
    """Yield the leads of the contact that hold something of the person, by batches."""
    last = 0
    while True:
        leads = Lead.objects.filter(contact=contact, pk__gt=last).order_by("pk")
        if not (keys := list(leads.values_list("pk", flat=True)[:_LEADS])):
            return
        yield keys
        last = keys[-1]


def _erase_leads(keys: Sequence[int], done: Erasure) -> None:
    links = LeadSubmission.objects.filter(lead__in=keys)
    done.submissions += erase_submissions(list(links.values_list("submission", flat=True)))
    with transaction.atomic():
        rows = Lead.objects.select_for_update(no_key=True, of=("self",)).select_related("stage")
        leads = list(rows.filter(pk__in=keys).order_by("pk"))
        marked = Event.objects.filter(kind="lead.erased", subject_type="lead")
        known = set(
            marked.filter(subject_id__in=map(str, keys)).values_list("subject_id", flat=True)
        )
        new = [lead for lead in leads if str(lead.pk) not in known]
        done.leads += len(new)
        done.notes += Note.objects.filter(lead__in=keys).delete()[0]
        done.tasks += _erase_tasks(keys)
        facts = [fact for lead in leads if (fact := _close(lead))]
        for lead in leads:
            lead.message, lead.company, lead.new_message_at = "", None, None
        fields = ["message", "new_message_at", "company", "stage", "status", "closed_at"]
        bulk.update(leads, fields)
        _erase_events(keys)
        emit_many([*facts, *(Fact("lead.erased", lead) for lead in new)])


def _erase_tasks(leads: Sequence[int]) -> int:
    tasks = Task.objects.filter(lead__in=leads)
    redact(Task, list(tasks.values_list("pk", flat=True)), kept=_KEPT)
    tasks.open().update(done_at=timezone.now())
    return tasks.exclude(title=ERASED_TITLE).update(title=ERASED_TITLE)


def _close(lead: Lead) -> Fact | None:
    """Move an open lead to the first lost stage, unsaved: there is nobody left to contact."""
    stages = Stage.objects.filter(pipeline=lead.pipeline_id, type=Stage.Type.LOST)
    lost = stages.first() if lead.is_open else None
    if lost is None:
        return None
    data = {"from": lead.stage.name, "to": lost.name, "stage": lost.pk, "type": lost.type}
    lead.stage, lead.closed_at = lost, timezone.now()
    lead.status = lifecycle.after_move(lead.status, lost.type)
    return Fact("lead.stage_changed", lead, data)


def _erase_events(leads: Sequence[int]) -> None:
    about = Event.objects.filter(subject_type="lead", subject_id__in=map(str, leads))
    Notification.objects.filter(event__in=about.values("pk")).delete()
    redact(Lead, leads, kept=_KEPT)


@transaction.atomic
def _erase_contact(contact: Contact, leads: int, submissions: int) -> None:
    contact.refresh_from_db(from_queryset=Contact.objects.select_for_update(no_key=True))
    redact(Contact, [contact.pk], kept=_KEPT)
    contact.identities.all().delete()
    for name in ("name", "email", "phone", "job_title", "country"):
        setattr(contact, name, "")
    contact.company, was_erased = None, contact.is_erased
    contact.provenance = {"erased": timezone.now().isoformat()}
    contact.save()
    if not was_erased or submissions:
        emit("contact.erased", contact, data={"leads": leads, "submissions": submissions})
