"""Open leads and tasks stay in sight of persons who may act; numbers equal the rows behind them."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.workspace.sight import Sight

FIFTY = settings(
    max_examples=50,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.django_db
def test_open_work_stays_visible_in_50_histories():
    run_state_machine_as_test(Sight, settings=FIFTY)
    assert Sight.steps_seen
