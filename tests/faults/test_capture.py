"""Real processes under load lose a part of what they stand on: no promise is broken."""

import signal
import time

import pytest

from tests.faults.load import loading
from tests.faults.system import accounted_for
from tests.flows.waiting import eventually
from tests.stack import wait_until_ready

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("faults")]


def test_web_killed_under_load(system, roles):
    with loading(roles.url, system.public_id) as load:
        load.until(receipts=100)
        roles.stop("web", signal.SIGKILL)
        roles.start("web")
        wait_until_ready(roles)
        load.until(receipts=100)
    assert set(load.statuses) <= {200, 201}
    accounted_for(system, load)


def test_postgresql_killed_under_load(system, roles, server):
    with loading(roles.url, system.public_id) as load:
        load.until(receipts=100)
        server.kill()
        load.until(receipts=100)
        server.start()
        load.until(receipts=200)
    assert set(load.statuses) == {201, 202}
    assert load.broken == 0
    accounted_for(system, load)


@pytest.mark.slow_faults
def test_preloaded_forms_are_served_without_postgresql(system, roles, server):
    roles.stop("web")
    before = roles.log("web").count("preloaded ")
    roles.start("web")
    eventually(lambda: roles.log("web").count("preloaded ") == before + 2, seconds=30)
    server.kill()
    with loading(roles.url, system.public_id, system.slug) as load:
        load.until(receipts=50)
        server.start()
        load.until_stored(time.monotonic(), seconds=20)
    assert set(load.statuses) <= {201, 202, 303}
    assert load.broken == 0
    accounted_for(system, load)


def test_postgresql_frozen_under_load(system, roles, server):
    with loading(roles.url, system.public_id) as load:
        load.until(receipts=100)
        server.signal(signal.SIGSTOP)
        try:
            load.until(receipts=100)
        finally:
            server.signal(signal.SIGCONT)
        load.until(receipts=100)
    assert set(load.statuses) == {201, 202}
    assert load.longest_gap < 3
    accounted_for(system, load)


def test_no_receipt_is_lost_without_postgresql_and_storage(system, roles, server):
    with loading(roles.url, system.public_id) as load:
        load.until(receipts=100)
        aside = system.storage.rename(system.storage.with_name("aside"))
        system.storage.write_text("in the way")
        server.kill()
        promised = len(load.receipts)
        deadline = time.monotonic() + 30
        while load.statuses[503] < 20:
            assert time.monotonic() < deadline, load.statuses
            time.sleep(0.02)
        server.start()
        system.storage.unlink()
        aside.rename(system.storage)
        load.until(receipts=100)
    assert len(load.receipts) > promised
    assert set(load.statuses) <= {201, 202, 503}
    assert load.without_retry_after == 0
    accounted_for(system, load)
