import datetime

import pytest

from deploy.policy import exceptions

ROWS = exceptions.register(exceptions.REGISTER.read_text(encoding="utf-8"))
SKIPPED = exceptions.skips(exceptions.SKIPS.read_text(encoding="utf-8"))
GOOD = "| EX-99 | `keyless aws_iam_access_key` | because | platform | 2027-01-31 |"


def test_every_check_that_is_left_out_is_registered_once():
    registered = [check for row in ROWS for check in row.checks if check.startswith("CKV")]
    assert sorted(registered) == sorted(SKIPPED)
    assert len(SKIPPED) > 10


def test_no_exception_is_past_its_last_day():
    assert exceptions.expired(ROWS, datetime.datetime.now(datetime.UTC).date()) == []


def test_ids_are_unique():
    assert len({row.id for row in ROWS}) == len(ROWS)


def test_expired_exception_is_reported_with_its_owner():
    [row] = exceptions.register(GOOD)
    assert exceptions.expired([row], datetime.date(2027, 1, 31)) == []
    [said] = exceptions.expired([row], datetime.date(2027, 2, 1))
    assert "EX-99 expired on 2027-01-31: platform" in said


def test_an_exception_excuses_just_its_rule_and_type():
    rows = exceptions.register(GOOD)
    excused = "keyless aws_iam_access_key a: use the identity"
    other = "keyless google_service_account_key b: use the identity"
    assert exceptions.unexcused([excused, other], rows) == [other]
    assert exceptions.unexcused([excused], []) == [excused]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("| EX-99 | `a` | because | | 2027-01-31 |", "owner"),
        ("| EX-99 | `a` | because | platform | soon |", "must be a date"),
    ],
)
def test_a_row_without_owner_or_date_is_refused(row, said):
    with pytest.raises(ValueError, match=said):
        exceptions.register(row)
