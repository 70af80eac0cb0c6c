"""Write facts, and hand them to whoever listens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from leadgen.events.models import Event
from leadgen.lib import bulk


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened to a row: the kind is ``<noun>.<past participle>``, data is plain JSON."""

    kind: str
    subject: models.Model
    data: Mapping[str, Any] = field(default_factory=dict)


def emit(
    kind: str,
    subject: models.Model,
    *,
    actor: AbstractBaseUser | None = None,
    data: Mapping[str, Any] | None = None,
) -> Event:
    """Write one event in the caller's transaction; actor None means Leadgen itself."""
    return Event.objects.create(**_row(Fact(kind, subject, data or {}), actor))


def emit_many(facts: Sequence[Fact], *, actor: AbstractBaseUser | None = None) -> list[int]:
    """Write many events with one statement, in the given order; return their ids."""
    return bulk.insert(Event, [_row(fact, actor) for fact in facts])


def _row(fact: Fact, actor: AbstractBaseUser | None) -> dict[str, Any]:
    return {
        "kind": fact.kind,
        "actor_id": actor.pk if actor else None,
        "subject_type": fact.subject._meta.model_name,
        "subject_id": str(fact.subject.pk),
        "data": fact.data,
    }
