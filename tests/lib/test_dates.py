from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from django.core.exceptions import ValidationError

from leadgen.lib.dates import (
    FIRST_MOMENT,
    LAST_MOMENT,
    CalendarZone,
    check_day,
    check_moment,
    nearest_day,
)

ZONES = ["Pacific/Auckland", "America/New_York", "Pacific/Kiritimati"]
ENDS = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("end", ENDS)
def test_every_zone_shows_the_ends_of_the_calendar(name, end):
    local = end.astimezone(CalendarZone(name))

    assert abs(local.replace(tzinfo=UTC) - end) < timedelta(days=1)
    assert local.isoformat()


def test_ordinary_time_is_converted_normally():
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)

    assert noon.astimezone(CalendarZone("Pacific/Kiritimati")).hour == 2


@pytest.mark.parametrize("day", [date(1970, 1, 1), date(2100, 12, 31)])
@pytest.mark.parametrize("hours", [-12, 0, 14])
def test_first_and_last_day_of_every_zone_are_accepted(day, hours):
    zone = timezone(timedelta(hours=hours))
    for hour in (0, 23):
        moment = datetime(day.year, day.month, day.day, hour, 59, tzinfo=zone)
        check_moment(moment)
        assert FIRST_MOMENT <= moment <= LAST_MOMENT


@pytest.mark.parametrize("day", [date.min, date(1969, 12, 31), date(2101, 1, 1), date.max])
def test_a_day_out_of_range_is_refused_with_the_range(day):
    for check, value in (
        (check_day, day),
        (check_moment, datetime(day.year, day.month, day.day, tzinfo=UTC)),
    ):
        with pytest.raises(ValidationError, match="from 1970 to 2100"):
            check(value)


def test_nearest_day_is_within_the_bounds():
    days = [nearest_day(day) for day in (date.min, date(2026, 1, 1), date.max)]

    assert days == [date(1970, 1, 1), date(2026, 1, 1), date(2100, 12, 31)]
