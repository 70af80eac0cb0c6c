"""The fuzz of tests/workspace/test_fuzz.py with many more attempts."""

import os
from random import Random

import pytest

from leadgen.accounts.roles import Role
from tests.factories import make_user
from tests.fuzz import Fuzz, clients_of, ids_of
from tests.workspace.conftest import place  # noqa: F401 - a fixture

pytestmark = [pytest.mark.processes, pytest.mark.django_db]

ATTEMPTS = int(os.environ.get("FUZZ_ATTEMPTS", "20000"))


def test_many_random_parameters_cause_no_fault(place, figures):  # noqa: F811
    seed = Random().randrange(10**9)
    users = {str(role): make_user(role, team=place["accounts.team"]) for role in Role}
    fuzz = Fuzz(clients_of(users), ids_of(place), Random(seed))
    faults = fuzz.run(ATTEMPTS)
    figures.update(seed=seed, attempts=ATTEMPTS, answers=dict(sorted(fuzz.statuses.items())))
    assert faults == []
