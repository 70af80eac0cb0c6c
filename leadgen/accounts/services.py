"""Verbs for users and teams; each is one transaction and writes its event."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from leadgen.accounts.models import Team, User
from leadgen.events.actors import Actor
from leadgen.events.services import emit
from leadgen.lib.edits import apply_values


@transaction.atomic
def add_user(user: User, *, actor: Actor | User | None) -> None:
    """Save a new user; emit user.added."""
    user.save()
    emit("user.added", user, actor=actor)


@transaction.atomic
def update_user(user: User, values: Mapping[str, Any], *, actor: Actor | User | None) -> None:
    """Set fields of a user; emit user.changed {changes}. Equal values change nothing.

    Raise ValidationError for a value that its field refuses.
    """
    if "email" in values:
        values = {**values, "email": values["email"].strip().lower()}
    if changes := apply_values(user, values):
        user.save()
        emit("user.changed", user, actor=actor, data={"changes": list(changes)})


@transaction.atomic
def set_password(user: User, password_hash: str, *, actor: Actor | User | None) -> None:
    """Store the hash of a password that an administrator chose; emit user.changed."""
    user.password = password_hash
    user.save(update_fields=["password"])
    emit("user.changed", user, actor=actor, data={"changes": ["password"]})


@transaction.atomic
def add_team(team: Team, *, actor: Actor | User | None) -> None:
    """Save a new team; emit team.added."""
    team.save()
    emit("team.added", team, actor=actor)


@transaction.atomic
def update_team(team: Team, values: Mapping[str, Any], *, actor: Actor | User | None) -> None:
    """Set fields of a team; emit team.changed {changes}. Equal values change nothing.

    Raise ValidationError for a value that its field refuses.
    """
    if changes := apply_values(team, values):
        team.save()
        emit("team.changed", team, actor=actor, data={"changes": list(changes)})


@transaction.atomic
def delete_team(team: Team, *, actor: Actor | User | None) -> None:
    """Delete a team; emit team.deleted {name}. Its members stay, without a team."""
    emit("team.deleted", team, actor=actor, data={"name": team.name})
    team.delete()
