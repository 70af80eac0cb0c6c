"""Bounds of the dates and times that people enter, and time zones that cannot overflow.

Python's calendar ends with the years 1 and 9999, and a time that is stored in UTC can lie beyond
either end once it is converted to the time zone of a reader.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2100, 12, 31)
# In UTC the first and the last day of all time zones begin and end up to 14 hours apart.
_SLACK = timedelta(days=1)
FIRST_MOMENT = datetime.combine(FIRST_DAY, time.min, UTC) - _SLACK
LAST_MOMENT = datetime.combine(LAST_DAY, time.max, UTC) + _SLACK
_BEGINNING, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_MESSAGE = _("Enter a date from %(first)s to %(last)s.")
_YEARS = {"first": FIRST_DAY.year, "last": LAST_DAY.year}


class CalendarZone(ZoneInfo):
    """A time zone in which a time beyond the calendar is shown as the calendar's end."""

    def fromutc(self, dt: datetime, /) -> datetime:
        """Convert from UTC; never raise OverflowError."""
        try:
            return super().fromutc(dt)
        except OverflowError:
            end = _END if dt.year > LAST_DAY.year else _BEGINNING
            return end.replace(tzinfo=self)


def check_day(value: date) -> None:
    """Raise ValidationError for a day before 1970 or after 2100."""
    if not FIRST_DAY <= value <= LAST_DAY:
        raise ValidationError(_MESSAGE, code="out_of_range", params=_YEARS)


def check_moment(value: datetime) -> None:
    """Raise ValidationError for a time before 1970 or after 2100 in the time zone it is given in.

    Times of another zone than the reader's may miss by a day: the database has as much slack.
    """
    check_day(value.date())


def in_range(name: str) -> Q:
    """Return the condition of a check constraint for a column of dates or times."""
    return Q(**{f"{name}__gte": FIRST_MOMENT, f"{name}__lte": LAST_MOMENT})


def days_in_range(name: str) -> Q:
    """Return the condition of a check constraint for a column of days."""
    return Q(**{f"{name}__gte": FIRST_DAY, f"{name}__lte": LAST_DAY})


def nearest_day(day: date) -> date:
    """Return the day within the bounds that is nearest to this one."""
    return min(max(day, FIRST_DAY), LAST_DAY)
