"""Verbs for users and teams; each is one transaction and writes its event."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext

from leadgen.accounts.models import Team, User
from leadgen.accounts.roles import Role
from leadgen.events.actors import Actor
from leadgen.events.services import emit
from leadgen.lib.edits import apply_values


@transaction.atomic
def add_user(user: User, *, actor: Actor | User | None) -> None:
    """Save a new user; emit user.added.

    Raise ValidationError for new leads to a role that may not work them.
    """
    require_may_take(user)
    user.save()
    emit("user.added", user, actor=actor)


@transaction.atomic
def update_user(user: User, values: Mapping[str, Any], *, actor: Actor | User | None) -> None:
    """Set fields of a user; emit user.changed {changes}. Equal values change nothing.

    A user who may not work leads any more gets no new ones. Raise ValidationError for a value that
    its field refuses, for new leads to a role that may not work them, and for the last
    administrator's access. What the user owns is handed over by leads.ownership.person_services.
    """
    if "email" in values:
        values = {**values, "email": values["email"].strip().lower()}
    administrators = _locked_administrators() if {"role", "is_active"} & values.keys() else []
    if changes := apply_values(user, values):
        if administrators == [user.pk]:
            _require_administrator(user)
        if "takes_leads" in changes:
            require_may_take(user)
        elif user.takes_leads and not user.works_leads:
            user.takes_leads = False
            changes["takes_leads"] = True
        user.save()
        emit("user.changed", user, actor=actor, data={"changes": list(changes)})


def require_may_take(user: User) -> None:
    """Raise ValidationError where new leads would go to a user who may not work them."""
    if user.takes_leads and not user.works_leads:
        text = gettext("%(role)s: this role, or a deactivated person, cannot work leads.")
        raise ValidationError({"takes_leads": text % {"role": user.get_role_display()}})


def _locked_administrators() -> list[int]:
    """Lock all active administrators, by id: two of them cannot deactivate each other."""
    rows = User.objects.select_for_update(no_key=True).order_by("pk")
    return list(rows.filter(is_active=True, role=Role.ADMIN).values_list("pk", flat=True))


def _require_administrator(user: User) -> None:
    """Raise ValidationError where the only active administrator would stop being one."""
    if not user.is_superuser:
        field = "is_active" if user.role == Role.ADMIN else "role"
        text = gettext("At least one active administrator is needed. Add another one first.")
        raise ValidationError({field: text})


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
