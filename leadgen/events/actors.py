"""Actors of events: who or what made a change, by type, id and label."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

LABEL_MAX_LENGTH = 200


class ActorType(StrEnum):
    USER = "user"
    API_KEY = "api_key"
    AUTOMATION = "automation"
    IMPORT = "import"
    SYSTEM = "system"
    VISITOR = "visitor"


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of an event. The label is the name at that time and is shown as it is."""

    type: ActorType
    id: str
    label: str

    @classmethod
    def of_user(cls, user: AbstractBaseUser) -> Actor:
        return cls(ActorType.USER, str(user.pk), str(user)[:LABEL_MAX_LENGTH])

    @property
    def user_id(self) -> int | None:
        """The primary key of the user; None for an actor of another type."""
        return int(self.id) if self.type == ActorType.USER else None


SYSTEM = Actor(ActorType.SYSTEM, "", "Leadgen")


def actor_of(actor: Actor | AbstractBaseUser | None) -> Actor:
    """Return the actor of what a verb got: an actor, a user, or None for the system itself."""
    if actor is None:
        return SYSTEM
    return actor if isinstance(actor, Actor) else Actor.of_user(actor)
