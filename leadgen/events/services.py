"""Write events in the transaction of the change that they record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from leadgen.events.actors import Actor, actor_of
from leadgen.events.kinds import check
from leadgen.events.models import Event
from leadgen.lib import bulk


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
