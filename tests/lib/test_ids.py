import time
import uuid

import time_machine

from leadgen.lib.ids import public_id, uuid7
from leadgen.lib.telemetry import request_context


def test_a_receipt_is_a_version_7_uuid():
    made = uuid7()
    assert (made.version, made.variant) == (7, uuid.RFC_4122)


def test_a_receipt_begins_with_its_milliseconds():
    with time_machine.travel("2026-11-23T12:00:00.123Z", tick=False):
        assert uuid7().int >> 80 == time.time_ns() // 1_000_000


def test_later_receipts_are_greater():
    with time_machine.travel("2026-11-23T12:00:00Z", tick=False) as clock:
        made = []
        for _ in range(50):
            made.append(uuid7())
            clock.shift(0.001)
    assert made == sorted(made)


def test_receipts_of_one_millisecond_differ():
    with time_machine.travel("2026-11-23T12:00:00Z", tick=False):
        assert len({uuid7() for _ in range(1000)}) == 1000


def test_public_id_has_no_ambiguous_letters():
    made = "".join(public_id() for _ in range(200))
    assert len(made) == 200 * 12
    assert not set(made) & set("01ilo")


def test_request_id_is_adopted_only_if_valid():
    assert request_context.adopt("abc-1.2:3_Z") == "abc-1.2:3_Z"
    for offered in (None, "", "a b", "x" * 65, "two\nlines", "é"):
        assert request_context.adopt(offered) != offered
