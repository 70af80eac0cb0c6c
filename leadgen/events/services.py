"""Write events in the transaction of the change that they record."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from leadgen.events.actors import Actor, actor_of
from leadgen.events.kinds import check
from leadgen.events.models import Event, ParkedEvent
from leadgen.lib import bulk

_REDACTED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened to a row: a kind of events/kinds.py, and its payload as plain JSON."""

    kind: str
    subject: models.Model
    data: Mapping[str, Any] = field(default_factory=dict)


def emit(
    kind: str,
    subject: models.Model,
    *,
    actor: Actor | AbstractBaseUser | None = None,
    data: Mapping[str, Any] | None = None,
) -> Event:
    """Write one event in the caller's transaction; actor None means the system itself.

    Raise UndeclaredKindError for a kind that events/kinds.py does not declare, and
    InvalidPayloadError for data that differs from the payload of the kind.
    """
    return Event.objects.create(**_row(Fact(kind, subject, data or {}), actor_of(actor)))


def emit_many(facts: Sequence[Fact], *, actor: Actor | AbstractBaseUser | None = None) -> list[int]:
    """Write many events with one statement, in the given order; return their ids."""
    author = actor_of(actor)
    return bulk.insert(Event, [_row(fact, author) for fact in facts])


def redact(subject: type[models.Model], keys: Sequence[Any], *, kept: Collection[str]) -> int:
    """Remove all but the ``kept`` keys from the data of events about rows of one model.

    The only change of events that exists: for an erasure (ADR 0030). Return their number.
    """
    ids = [str(key) for key in keys]
    events = Event.objects.filter(subject_type=subject._meta.model_name, subject_id__in=ids)
    total = 0
    rows = events.only("data").order_by("pk").iterator(chunk_size=_REDACTED_AT_ONCE)
    while part := list(islice(rows, _REDACTED_AT_ONCE)):
        for event in part:
            event.data = {key: event.data[key] for key in event.data if key in kept}
        bulk.update(part, ["data"])
        ParkedEvent.objects.filter(event__in=part).update(error="")
        total += len(part)
    return total


def _row(fact: Fact, actor: Actor) -> dict[str, Any]:
    check(fact.kind, fact.data)
    return {
        "kind": fact.kind,
        "actor_id": actor.user_id,
        "actor_type": actor.type.value,
        "actor_key": actor.id,
        "actor_label": actor.label,
        "subject_type": fact.subject._meta.model_name,
        "subject_id": str(fact.subject.pk),
        "data": fact.data,
    }
