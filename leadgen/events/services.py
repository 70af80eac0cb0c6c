"""Write facts, and hand them to whoever listens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from leadgen.events.models import Event


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
    return emit_many([Fact(kind, subject, data or {})], actor=actor)[0]


def emit_many(facts: list[Fact], *, actor: AbstractBaseUser | None = None) -> list[Event]:
    """Write many events with one statement, in the given order; return them with their ids."""
    return Event.objects.bulk_create(
        Event(
            kind=fact.kind,
            actor_id=actor.pk if actor else None,
            subject_type=fact.subject._meta.model_name or "",
            subject_id=str(fact.subject.pk),
            data=dict(fact.data),
        )
        for fact in facts
    )
