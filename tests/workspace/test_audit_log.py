import pytest
from django.urls import reverse

from leadgen.accounts.roles import Role
from leadgen.leads import services
from tests.factories import make_lead, make_user

pytestmark = pytest.mark.django_db


def test_details_of_an_assignment_begin_with_the_owners(browse):
    lead, rep, admin = make_lead(), make_user(), make_user(Role.ADMIN)
    services.assign(lead, rep, actor=admin)

    html = browse(admin).get(reverse("admin:events_event_changelist")).text

    assert f"owner: {rep.pk}, previous: None" in html
    assert "undo:" not in html
