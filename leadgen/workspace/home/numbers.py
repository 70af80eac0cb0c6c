"""Numbers of the home page: each function is one or two queries within a window of time.

Each takes QuerySets of the rows that the reader may see. The windows limit the cost
to a range of the index on ``created_at``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Count, DurationField, F, Min, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext

from leadgen.accounts.models import User
from leadgen.capture.models import SubmissionQuerySet
from leadgen.capture.spool import store
from leadgen.forms.models import Form
from leadgen.leads import conditions
from leadgen.leads.models import Lead, Stage
from leadgen.leads.querysets import LeadQuerySet, TaskQuerySet
from leadgen.lib.net.timeouts import run_with_timeout

logger = logging.getLogger(__name__)

DAYS = 30
OPEN_DAYS = 90
# The page waits no longer for a storage that hangs.
SPOOL_SECONDS = 1.0
_CAP = 10_000
_ROWS = 8


class Median(Aggregate):
    """PostgreSQL's exact median."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


_RESPONSE = F("first_response_at") - F("created_at")


@dataclass(frozen=True, slots=True)
class Change:
    """A number of the last DAYS days, and of as many days before."""

    now: int
    before: int

    @property
    def percent(self) -> int | None:
        return round((self.now - self.before) * 100 / self.before) if self.before else None


@dataclass(frozen=True, slots=True)
class CountRow:
    """One line of a table: its name, and its numbers by name."""

    name: str
    numbers: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LeadSummary:
    leads: Change
    won: int
    unanswered: int
    unowned: int
    response: timedelta | None


@dataclass(frozen=True, slots=True)
class LedgerNumbers:
    """Submissions of the ledger that are on no lead; counts stop at 10,000."""

    waiting: int
    oldest: datetime | None
    parked: int
    quarantined: int


def days_ago(days: int) -> datetime:
    """Return midnight in the reader's zone, this number of days ago."""
    start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return start - timedelta(days=days)


def lead_summary(leads: LeadQuerySet) -> LeadSummary:
    """Return the numbers of new leads, and of all open leads that wait for a person.

    ``unanswered`` and ``unowned`` count the rows of the lists that their tiles link to, of any age,
    10,000 at most; the other numbers are of the last DAYS days.
    """
    recent = Q(created_at__gte=days_ago(DAYS))
    row = leads.filter(created_at__gte=days_ago(2 * DAYS)).aggregate(
        now=Count("pk", filter=recent),
        before=Count("pk", filter=~recent),
        won=Count("pk", filter=conditions.WON & Q(closed_at__gte=days_ago(DAYS))),
        response=Median(_RESPONSE, filter=recent & conditions.ANSWERED),
    )
    change = Change(row.pop("now"), row.pop("before"))
    return LeadSummary(
        leads=change,
        unanswered=leads.unanswered().order_by()[:_CAP].count(),
        unowned=leads.unowned().order_by()[:_CAP].count(),
        **row,
    )


def per_day(leads: QuerySet[Lead]) -> list[tuple[date, int]]:
    """Return the leads of each of the last DAYS days, today last, with empty days."""
    # Up to tonight: near year 9999 the day of a time overflows in some time zones.
    window = leads.filter(created_at__gte=days_ago(DAYS - 1), created_at__lt=days_ago(-1))
    days = window.annotate(day=TruncDate("created_at"))
    counted = dict(days.order_by().values_list("day").annotate(n=Count("pk")))
    today = timezone.localdate()
    shown = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    return [(day, counted.get(day, 0)) for day in shown]


def by_stage(leads: LeadQuerySet, stages: QuerySet[Stage]) -> list[CountRow]:
    """Return the open leads of the last OPEN_DAYS days by stage, in the order of the pipelines."""
    recent = leads.open().filter(created_at__gte=days_ago(OPEN_DAYS))
    counted = dict(recent.order_by().values_list("stage").annotate(n=Count("pk")))
    return [
        CountRow(stage.name, {"count": counted.get(stage.pk, 0), "stage": stage.pk})
        for stage in stages.filter(type=Stage.Type.OPEN)
    ]


def by_origin(leads: QuerySet[Lead], field: str) -> list[CountRow]:
    """Return the sources or campaigns (``source``, ``campaign__name``) with the most leads."""
    recent = Q(created_at__gte=days_ago(DAYS))
    rows = (
        leads.filter(created_at__gte=days_ago(2 * DAYS))
        .order_by()
        .values(field)
        .annotate(
            now=Count("pk", filter=recent),
            before=Count("pk", filter=~recent),
            won=Count("pk", filter=recent & conditions.WON),
        )
        .order_by("-now", "-before", field)[: _ROWS + 1]
    )
    # Leads without a campaign are left out here: in SQL that would read the whole index.
    named = [row for row in rows if row[field] is not None][:_ROWS]
    return [
        CountRow(
            row[field] or gettext("unknown"), {"change": Change(row["now"], row["before"]), **row}
        )
        for row in named
    ]


def by_form(
    leads: QuerySet[Lead], forms: QuerySet[Form], submissions: SubmissionQuerySet
) -> list[CountRow]:
    """Return each form's submissions and new leads of the last DAYS days, busiest first."""
    titles = dict(forms.values_list("pk", "title"))
    since = days_ago(DAYS)
    # Naming the forms lets PostgreSQL use the index (form, received_at).
    sent = dict(
        submissions.filter(form__in=list(titles), received_at__gte=since)
        .order_by()
        .values_list("form")
        .annotate(n=Count("pk"))
    )
    opened = {
        form: {"leads": count, "won": won}
        for form, count, won in leads.filter(created_at__gte=since, form__isnull=False)
        .order_by()
        .values_list("form")
        .annotate(n=Count("pk"), won=Count("pk", filter=conditions.WON))
    }
    none = {"leads": 0, "won": 0}
    busiest = sorted(titles, key=lambda form: -sent.get(form, 0))[:_ROWS]
    return [
        CountRow(titles[form], {"sent": sent.get(form, 0), **opened.get(form, none)})
        for form in busiest
    ]


def sent(submissions: SubmissionQuerySet, forms: QuerySet[Form]) -> Change:
    """Count the submissions of the last DAYS days, and of the DAYS before."""
    recent = Q(received_at__gte=days_ago(DAYS))
    keys = list(forms.values_list("pk", flat=True))
    row = submissions.filter(form__in=keys, received_at__gte=days_ago(2 * DAYS)).aggregate(
        now=Count("pk", filter=recent), before=Count("pk", filter=~recent)
    )
    return Change(row["now"], row["before"])


def workload(leads: LeadQuerySet, tasks: TaskQuerySet, people: QuerySet[User]) -> list[CountRow]:
    """Return each person's open leads, leads not contacted, overdue tasks and first response."""
    names = dict(people.values_list("pk", "name"))
    late = dict(
        tasks.due_before(timezone.now())
        .filter(owner__in=list(names))
        .order_by()
        .values_list("owner")
        .annotate(n=Count("pk"))
    )
    worked = {
        row["owner"]: row
        for row in leads.filter(created_at__gte=days_ago(OPEN_DAYS), owner__in=list(names))
        .order_by()
        .values("owner")
        .annotate(
            open=Count("pk", filter=conditions.OPEN),
            unanswered=Count("pk", filter=conditions.UNANSWERED),
            response=Median(_RESPONSE, filter=conditions.ANSWERED),
        )
    }
    idle = {"open": 0, "unanswered": 0, "response": None}
    rows = [
        CountRow(name, {**worked.get(pk, idle), "owner": pk, "late": late.get(pk, 0)})
        for pk, name in names.items()
    ]
    return sorted(rows, key=lambda row: -row.numbers["open"])


def ledger(submissions: SubmissionQuerySet) -> LedgerNumbers:
    """Count waiting, parked and quarantined submissions; each count reads a partial index."""
    waiting = submissions.waiting()
    return LedgerNumbers(
        waiting=waiting[:_CAP].count(),
        oldest=waiting.aggregate(oldest=Min("received_at"))["oldest"],
        parked=submissions.parked()[:_CAP].count(),
        quarantined=quarantined(submissions),
    )


def spooled() -> store.Depth | None:
    """Return the depth of the spool; None when the storage does not answer in SPOOL_SECONDS."""
    try:
        return run_with_timeout(SPOOL_SECONDS, store.depth)
    except Exception as error:
        logger.warning("storage unavailable, the home page shows no spool: %s", error)
        return None


def quarantined(submissions: SubmissionQuerySet) -> int:
    """Count the submissions to review (quarantined), 10,000 at most."""
    return submissions.quarantined()[:_CAP].count()
