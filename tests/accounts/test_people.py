import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from leadgen.accounts.middleware import TimeZoneMiddleware
from leadgen.accounts.models import User
from leadgen.accounts.roles import Role, Visibility
from leadgen.accounts.visibility import visible
from leadgen.leads.models import Lead
from tests.factories import make_lead, make_team, make_user

pytestmark = pytest.mark.django_db


def test_people_log_in_by_email_whatever_its_case(client):
    make_user(email="Ada@Example.com")
    assert client.login(username=" ada@EXAMPLE.com ", password="secret-word")


def test_wrong_password_and_inactive_user_cannot_log_in(client):
    make_user(email="ada@example.com")
    assert not client.login(username="ada@example.com", password="another-word")
    User.objects.update(is_active=False)
    assert not client.login(username="ada@example.com", password="secret-word")


def test_a_person_without_a_password_cannot_log_in(client):
    User.objects.create_user("ada@example.com", name="Ada")
    assert not client.login(username="ada@example.com", password="")


def test_an_address_belongs_to_one_person_whatever_its_case():
    make_user(email="ada@example.com")
    with pytest.raises(IntegrityError):
        make_user(email="ADA@example.com")


def test_address_in_use_in_another_case_is_a_form_error():
    make_user(email="ada@example.com")
    with pytest.raises(ValidationError, match="This address is taken"):
        User(email="ADA@example.com", name="Ada", password="x").full_clean()


def test_createsuperuser_creates_an_administrator(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a-long-secret-word")
    call_command("createsuperuser", email="Ada@example.com", name="Ada", interactive=False)
    ada = User.objects.get(email="ada@example.com")
    assert (ada.role, ada.is_superuser, ada.is_staff) == (Role.ADMIN, True, True)


def test_inactive_user_has_no_permission():
    ada = make_user(Role.ADMIN, is_active=False)
    assert not ada.has_perm("leads.view_lead")
    assert not ada.has_module_perms("leads")
    assert not ada.is_staff


def test_only_active_users_who_take_leads_receive_leads():
    takes = make_user(takes_leads=True)
    make_user(takes_leads=False)
    make_user(takes_leads=True, is_active=False)
    assert list(User.objects.taking_leads()) == [takes]


@pytest.mark.parametrize(
    ("role", "visibility", "sees"),
    [
        (Role.SALES_REP, "", {"own"}),
        (Role.SALES_REP, Visibility.TEAM, {"own", "team"}),
        (Role.SALES_REP, Visibility.ALL, {"own", "team", "foreign", "unowned"}),
        (Role.SALES_MANAGER, "", {"own", "team", "unowned"}),
        (Role.SALES_MANAGER, Visibility.OWN, {"own"}),
        (Role.VIEWER, "", {"own", "team", "foreign", "unowned"}),
        (Role.ADMIN, "", {"own", "team", "foreign", "unowned"}),
        (Role.ADMIN, Visibility.OWN, {"own", "team", "foreign", "unowned"}),
    ],
)
def test_visibility_follows_the_role_or_the_users_setting(role, visibility, sees):
    team = make_team()
    user = make_user(role, team=team, visibility=visibility)
    leads = {
        make_lead(user): "own",
        make_lead(make_user(team=team)): "team",
        make_lead(make_user(team=make_team())): "foreign",
        make_lead(None): "unowned",
    }
    assert {leads[lead] for lead in visible(Lead, user)} == sees


def test_team_visibility_without_a_team_is_own_leads():
    user = make_user(Role.SALES_REP, team=None, visibility=Visibility.TEAM)
    own = make_lead(user)
    make_lead(make_user(team=None))
    assert list(visible(Lead, user)) == [own]


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "a\0b", "+02:00"]
)
def test_unknown_time_zone_is_refused_with_an_example(name):
    with pytest.raises(ValidationError, match="write it as Europe/Berlin") as refused:
        User(email="x@example.com", name="X", password="x", time_zone=name).clean()
    assert list(refused.value.message_dict) == ["time_zone"]


def zone_in_use(user):
    seen = []

    def view(request):
        seen.append(timezone.get_current_timezone())
        return HttpResponse()

    request = RequestFactory().get("/")
    request.user = user
    TimeZoneMiddleware(view)(request)
    return seen[0]


def test_page_shows_times_in_the_users_time_zone():
    assert zone_in_use(make_user(time_zone="Asia/Tokyo")).key == "Asia/Tokyo"


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../x", "America"])
def test_unknown_time_zone_breaks_no_page(name):
    assert zone_in_use(make_user(time_zone=name)).key == timezone.get_default_timezone_name()
