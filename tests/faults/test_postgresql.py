"""PostgreSQL restarts, stays away, is locked and stands still: whoever posts is thanked."""

import json
import signal
import time
from datetime import datetime
from uuid import UUID

import psycopg
import pytest

from tests.faults.load import loading
from tests.faults.system import accounted_for

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow_faults,
    pytest.mark.xdist_group("faults"),
]


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
def test_five_restarts(system, roles, server, figures, way):
    with loading(roles.url, system.public_id, system.slug) as load:
        for _ in range(5):
            load.go_on(3)
            server.end(way)
            load.go_on(1)
            server.start()
            back = time.monotonic()
            load.until_stored(back, seconds=10)
            slowest = max(figures.get("stored again s", 0.0), time.monotonic() - back)
            figures["stored again s"] = slowest
    figures.update(load.figures())
    assert set(load.statuses) <= {200, 201, 202, 303}
    assert load.failed == 0
    assert figures["stored again s"] < 5
    figures["settled s"] = accounted_for(system, load)


def test_a_minute_without_postgresql_loses_no_submission(system, roles, server, figures):
    with loading(roles.url, system.public_id, system.slug) as load:
        load.go_on(3)
        server.end(signal.SIGINT)
        load.go_on(60)
        spooled = spooled_receipts(system)
        server.start()
        load.go_on(3)
    figures["spooled"] = len(spooled)
    figures.update(load.figures())
    assert set(load.statuses) <= {200, 201, 202, 303}
    assert load.failed == 0
    figures["settled s"] = accounted_for(system, load)
    told = server.query("SELECT id::text, received_at FROM capture_submission")
    ledger = {receipt: at.timestamp() for receipt, at in told}
    assert {receipt: ledger[receipt] for receipt in spooled} == spooled
    # Receipts sort by time, so those of the spool are in the order in which they were given.
    assert max(abs((UUID(each).int >> 80) / 1000 - at) for each, at in spooled.items()) < 0.1


def spooled_receipts(system):
    """The receipts in the spool and when each was received."""
    rows = [json.loads(path.read_bytes())["row"] for path in system.storage.glob("spool/2*/*.json")]
    return {row["id"]: datetime.fromisoformat(row["received_at"]).timestamp() for row in rows}


def test_locked_then_frozen(system, roles, server, figures):
    with loading(roles.url, system.public_id, system.slug) as load:
        load.go_on(3)
        before = roles.memory("web")
        with psycopg.connect(server.url) as connection:
            connection.execute("LOCK TABLE capture_submission IN ACCESS EXCLUSIVE MODE")
            load.go_on(20)
        load.go_on(3)
        server.signal(signal.SIGSTOP)
        try:
            load.go_on(20)
        finally:
            server.signal(signal.SIGCONT)
        back = time.monotonic()
        load.until_stored(back, seconds=10)
        figures["stored again s"] = time.monotonic() - back
        figures["grown MB"] = roles.memory("web") - before
    figures.update(load.figures())
    assert set(load.statuses) <= {200, 201, 202, 303}
    assert load.failed == 0
    assert figures["grown MB"] < 100
    assert load.longest_gap < 5
    figures["settled s"] = accounted_for(system, load)
