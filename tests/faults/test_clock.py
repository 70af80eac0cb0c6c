"""The clock of one process jumps: back, or ahead of everybody else's."""

from pathlib import Path

import pytest

from tests.deployment import ROOT
from tests.faults.load import loading
from tests.faults.system import accounted_for
from tests.stack import running

pytestmark = [pytest.mark.processes, pytest.mark.slow_faults, pytest.mark.xdist_group("faults")]

SPREAD = "SELECT extract(epoch FROM max(received_at) - min(received_at)) FROM capture_submission"


@pytest.fixture
def clock(tmp_path):
    """A file that says how many seconds a process is off, and the environment that obeys it."""
    offset = tmp_path / "offset"
    offset.write_text("0")
    path = f"{Path(__file__).with_name('clock')}:{ROOT}"
    return offset, {"PYTHONPATH": path, "CLOCK_FILE": str(offset)}


@pytest.mark.parametrize("jumps", [("-600", "0"), ("600", "-600")])
def test_the_clock_of_web_jumps_under_load(system, roles, clock, tmp_path, figures, jumps):
    offset, told = clock
    limits = {"CAPTURE_LIMIT_PER_MINUTE": "100000", "CAPTURE_FLOOD_PER_MINUTE": "100000"}
    environment = {**system.environment, **limits, **told}
    with (
        running(tmp_path, environment, roles=("web",)) as off,
        loading(off.url, system.public_id, system.slug) as load,
    ):
        load.until(receipts=50)
        for to in jumps:
            offset.write_text(to)
            load.until(receipts=100)
    figures.update(load.figures())
    assert set(load.statuses) <= {201, 303}
    assert load.failed == 0
    assert len(load.receipts) == len(set(load.receipts))
    accounted_for(system, load)
    assert system.server.query(SPREAD)[0][0] > 590  # the clock did jump


def test_worker_with_a_late_clock_processes_the_backlog(system, roles, clock, tmp_path):
    offset, told = clock
    roles.stop("worker")
    offset.write_text("-600")
    with loading(roles.url, system.public_id, system.slug) as load:
        load.until(receipts=50)
    with running(tmp_path, {**system.environment, **told}, roles=("worker",)):
        assert accounted_for(system, load) < 60
    roles.start("worker")
