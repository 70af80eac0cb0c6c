"""No parameter makes a page fail. `tests/faults/test_fuzz.py` tries twenty times as many."""

from random import Random

import pytest

from leadgen.accounts.roles import Role
from tests.factories import make_user
from tests.fuzz import Fuzz, clients_of, ids_of

pytestmark = pytest.mark.django_db

ATTEMPTS = 400


@pytest.fixture
def fuzz(place):
    users = {str(role): make_user(role, team=place["accounts.team"]) for role in Role}
    return Fuzz(clients_of(users), ids_of(place), Random(20261128))


def test_random_parameters_of_every_route_cause_no_fault(fuzz):
    assert fuzz.run(ATTEMPTS) == []
    # Refusals and redirects alone would prove nothing.
    assert fuzz.statuses[200] > ATTEMPTS / 5
