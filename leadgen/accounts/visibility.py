"""Registry of row-level visibility: one rule for each model that pages and programs read.

Each package registers the rules of its models when its app is ready. A model without a rule raises,
so a new model shows nothing until its rule is written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from leadgen.accounts.models import Team, User
from leadgen.events.models import Event

Rule = Callable[[QuerySet[Any], User], QuerySet[Any]]
"""A function that narrows rows of its model to those which the user may see."""

_Row = TypeVar("_Row", bound=Model)
_Rows = TypeVar("_Rows", bound=QuerySet[Any])
_rules: dict[type[Model], Rule] = {}


class UnregisteredModelError(LookupError):
    """A model has no visibility rule."""


def visible(model: type[_Row], user: User) -> QuerySet[_Row]:
    """Return the rows of a model that the user may see; raise UnregisteredModelError."""
    return visible_rows(model._default_manager.all(), user)


def visible_rows(rows: _Rows, user: User) -> _Rows:
    """Narrow a QuerySet to the rows that the user may see; raise UnregisteredModelError."""
    model = rows.model
    if model not in _rules:
        raise UnregisteredModelError(
            f"{model._meta.label} has no visibility rule: register one in its app's visibility.py."
        )
    narrowed: _Rows = _rules[model](rows, user)  # type: ignore[assignment]  # of the same class
    return narrowed


def register(model: type[Model], rule: Rule) -> None:
    """Set the rule of a model."""
    _rules[model] = rule


def registered_models() -> frozenset[type[Model]]:
    """Return the models that have a rule."""
    return frozenset(_rules)


def all_rows(rows: QuerySet[Any], user: User) -> QuerySet[Any]:
    """Show every row: the rule of models that the whole organisation shares."""
    return rows


def _audit_log(events: QuerySet[Any], user: User) -> QuerySet[Any]:
    # Events name leads and users of every team.
    return events if user.has_perm("events.view_event") else events.none()


def register_rules() -> None:
    """Register the rules of users, teams and events; leadgen.events imports no users."""
    for model in (User, Team):
        register(model, all_rows)
    register(Event, _audit_log)
