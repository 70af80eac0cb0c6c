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


@pytest.mark.parametrize("values", [{"is_active": False}, {"role": Role.VIEWER}])
def test_last_administrator_cannot_be_deactivated(values):
    boss, other = make_user(role=Role.ADMIN), make_user(role=Role.ADMIN)
    make_user(role=Role.ADMIN, is_active=False)
    services.update_user(other, values, actor=boss)
    with pytest.raises(ValidationError, match="At least one active administrator"):
        services.update_user(User.objects.get(pk=boss.pk), values, actor=other)
    assert User.objects.get(pk=boss.pk).is_superuser


def test_role_that_only_reads_gets_no_new_leads():
    rep = make_user(takes_leads=True)
    services.update_user(rep, {"role": Role.VIEWER}, actor=None)
    assert not User.objects.get(pk=rep.pk).takes_leads
    with pytest.raises(ValidationError, match="cannot work leads"):
        services.update_user(rep, {"takes_leads": True}, actor=None)
    with pytest.raises(ValidationError, match="cannot work leads"):
        services.add_user(User(role=Role.MARKETER, takes_leads=True, name="X"), actor=None)


def test_round_robin_skips_read_only_roles():
    make_user(Role.VIEWER, takes_leads=True)
    rep = make_user(takes_leads=True)
    assert list(User.objects.taking_leads()) == [rep]
