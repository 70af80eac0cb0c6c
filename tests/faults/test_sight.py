"""The rule of tests/workspace/test_sight.py over 2,000 histories, other ones each time."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.workspace.sight import Sight
from tests.workspace.test_sight import FIFTY


@pytest.mark.processes
@pytest.mark.slow_faults
@pytest.mark.django_db
def test_open_work_stays_visible_in_2000_histories(figures):
    many = settings(FIFTY, max_examples=2000, stateful_step_count=20, derandomize=False)
    before = Sight.steps_seen
    run_state_machine_as_test(Sight, settings=many)
    figures["steps"] = Sight.steps_seen - before
    assert figures["steps"]
