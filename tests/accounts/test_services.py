from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from leadgen.accounts import services
from leadgen.accounts.models import Team, User
from leadgen.accounts.roles import Role
from leadgen.events.actors import Actor, ActorType
from leadgen.events.models import Event
from tests.factories import make_team, make_user

pytestmark = pytest.mark.django_db

KEY = Actor(ActorType.API_KEY, "key_7", "Zapier")


def events() -> list[tuple[str, str, dict[str, Any]]]:
    return [(each.kind, each.author.label, each.data) for each in Event.objects.order_by("id")]


def test_user_verbs_emit_the_same_events_for_any_actor():
    boss = make_user(role=Role.ADMIN, name="Ada")
    for actor, label in ((boss, "Ada"), (KEY, "Zapier"), (None, "Leadgen")):
        Event.objects.all().delete()
        user = User(email=f"{label}@example.com", name="Bob")
        services.add_user(user, actor=actor)
        services.update_user(user, {"role": Role.VIEWER, "name": "Bob"}, actor=actor)
        assert events() == [
            ("user.added", label, {}),
            ("user.changed", label, {"changes": ["role"]}),
        ]


def test_equal_values_emit_nothing():
    user, team = make_user(email="bob@example.com"), make_team("North")
    services.update_user(user, {"email": " Bob@Example.com", "name": user.name}, actor=None)
    services.update_team(team, {"name": "North"}, actor=None)
    assert events() == []


def test_refused_value_names_its_field_and_changes_nothing():
    user = make_user(role=Role.VIEWER)
    for values in ({"time_zone": "Mars"}, {"role": "king"}, {"email": make_user().email}):
        with pytest.raises(ValidationError) as refusal:
            services.update_user(User.objects.get(pk=user.pk), values, actor=None)
        assert list(refusal.value.message_dict) == list(values)
    assert User.objects.get(pk=user.pk).role == Role.VIEWER
    assert events() == []


def test_team_verbs_emit_their_events():
    team = Team(name="North")
    services.add_team(team, actor=KEY)
    services.update_team(team, {"name": "South"}, actor=KEY)
    services.delete_team(team, actor=KEY)
    assert events() == [
        ("team.added", "Zapier", {}),
        ("team.changed", "Zapier", {"changes": ["name"]}),
        ("team.deleted", "Zapier", {"name": "South"}),
    ]


def test_new_password_of_a_user_is_stored_and_recorded(client):
    boss, user = make_user(role=Role.ADMIN, name="Ada"), make_user()
    client.force_login(boss)
    sent = {"usable_password": "true", "password1": "a-long-word-9182"}
    address = reverse("admin:auth_user_password_change", args=[user.pk])
    client.post(address, {**sent, "password2": "a-long-word-9182"})
    assert User.objects.get(pk=user.pk).check_password("a-long-word-9182")
    assert events() == [("user.changed", "Ada", {"changes": ["password"]})]
