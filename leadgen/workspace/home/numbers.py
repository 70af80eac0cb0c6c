"""Numbers of the home page: each is the number of rows of the list that it links to.

Each function takes QuerySets of the rows that the reader may see. Numbers of a period read a range
of the index on ``created_at``; numbers of open leads stop at the cap of lists (pagination.CAP).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    F,
    Func,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
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
from leadgen.workspace.kit import pagination
from leadgen.workspace.kit.pagination import shown

logger = logging.getLogger(__name__)

DAYS = 30
# The leads of overdue tasks are looked up one by one where a reader sees a team's leads only.
LATE_CAP = 50
# The page waits no longer for a storage that hangs.
SPOOL_SECONDS = 1.0
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
    response: timedelta | None


@dataclass(frozen=True, slots=True)
class LedgerNumbers:
    """Submissions of the ledger that are on no lead; counts stop at the cap."""

    waiting: int
    oldest: datetime | None
    parked: int
    quarantined: int

    @property
    def shown(self) -> dict[str, str]:
        """The counts as texts."""
        names = ("waiting", "parked", "quarantined")
        return {name: shown(getattr(self, name)) for name in names}


def days_ago(days: int) -> datetime:
    """Return midnight in the reader's zone, this number of days ago."""
    start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return start - timedelta(days=days)


def first_day() -> date:
    """Return the first of the last DAYS days in the reader's zone; the last one is today."""
    return timezone.localdate() - timedelta(days=DAYS - 1)


def lead_summary(leads: LeadQuerySet) -> LeadSummary:
    """Return the new leads of the last DAYS days, and the median of their first responses."""
    recent = Q(created_at__gte=days_ago(DAYS - 1))
    row = leads.filter(created_at__gte=days_ago(2 * DAYS - 1)).aggregate(
        now=Count("pk", filter=recent),
        before=Count("pk", filter=~recent),
        response=Median(_RESPONSE, filter=recent & conditions.ANSWERED),
    )
    return LeadSummary(Change(row["now"], row["before"]), row["response"])


def per_day(leads: QuerySet[Lead]) -> list[tuple[date, int]]:
    """Return the leads of each of the last DAYS days, today last, with empty days."""
    # Up to tonight: near year 9999 the day of a time overflows in some time zones.
    window = leads.filter(created_at__gte=days_ago(DAYS - 1), created_at__lt=days_ago(-1))
    days = window.annotate(day=TruncDate("created_at"))
    counted = dict(days.order_by().values_list("day").annotate(n=Count("pk")))
    shown = [first_day() + timedelta(days=after) for after in range(DAYS)]
    return [(day, counted.get(day, 0)) for day in shown]


def by_stage(leads: LeadQuerySet, stages: QuerySet[Stage]) -> list[CountRow]:
    """Return the open leads by stage, in the order of the pipelines, each capped."""
    is_open = Q(type=Stage.Type.OPEN)
    counted = stages.filter(is_open).annotate(
        count=_capped(leads.open().filter(stage=OuterRef("pk")))
    )
    return [
        CountRow(stage.name, {"count": stage.count, "stage": stage.pk, "shown": shown(stage.count)})
        for stage in counted
    ]


def _capped(rows: QuerySet[Any], cap: int | None = None) -> Func:
    """Return the capped count of rows that refer to the outer query: cardinality(ARRAY(…))."""
    # Ones and not keys: a key is in no index of these, so it would be read from the table.
    ones = rows.order_by().annotate(one=Value(1)).values("one")[: cap or pagination.CAP]
    return Func(ArraySubquery(ones), function="cardinality", output_field=IntegerField())


def by_origin(leads: QuerySet[Lead], field: str, key: str) -> list[CountRow]:
    """Return the sources or campaigns (``source``, ``campaign__name``) with the most leads.

    ``key`` is the column whose value the list of leads is filtered by.
    """
    recent = Q(created_at__gte=days_ago(DAYS - 1))
    rows = (
        leads.filter(created_at__gte=days_ago(2 * DAYS - 1))
        .order_by()
        .values(field, chosen=F(key))
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
            row[field] or gettext("unknown"),
            {**row, "change": Change(row["now"], row["before"]), "shown": shown(row["now"])},
        )
        for row in named
    ]


def by_form(
    leads: QuerySet[Lead], forms: QuerySet[Form], submissions: SubmissionQuerySet
) -> list[CountRow]:
    """Return each form's submissions and new leads of the last DAYS days, busiest first."""
    titles = dict(forms.values_list("pk", "title"))
    since = days_ago(DAYS - 1)
    # Naming the forms, and no key, lets PostgreSQL read the index (form, received_at) only.
    sent = dict(
        submissions.filter(form__in=list(titles), received_at__gte=since)
        .order_by()
        .values_list("form")
        .annotate(n=Count("*"))
    )
    opened = {
        form: {"leads": count, "won": won}
        for form, count, won in leads.filter(created_at__gte=since, form__isnull=False)
        .order_by()
        .values_list("form")
        .annotate(n=Count("*"), won=Count("pk", filter=conditions.WON))
    }
    none = {"leads": 0, "won": 0}
    busiest = sorted(titles, key=lambda form: -sent.get(form, 0))[:_ROWS]
    return [
        CountRow(titles[form], {"sent": sent.get(form, 0), **opened.get(form, none)})
        for form in busiest
    ]


def sent(submissions: SubmissionQuerySet, forms: QuerySet[Form]) -> Change:
    """Count the submissions of the last DAYS days, and of the DAYS before."""
    recent = Q(received_at__gte=days_ago(DAYS - 1))
    keys = list(forms.values_list("pk", flat=True))
    window = submissions.filter(form__in=keys, received_at__gte=days_ago(2 * DAYS - 1))
    row = window.aggregate(
        now=Count("received_at", filter=recent), before=Count("received_at", filter=~recent)
    )
    return Change(row["now"], row["before"])


def workload(leads: LeadQuerySet, tasks: TaskQuerySet, people: QuerySet[User]) -> list[CountRow]:
    """Return each person's open and not contacted leads, overdue tasks and first response.

    The counts are of any age and capped, the response is the median of the last DAYS days.
    """
    owned, own_tasks = {"owner": OuterRef("pk")}, tasks.due_before(timezone.now())
    counted = people.order_by("name", "pk").annotate(
        open=_capped(leads.open().filter(**owned)),
        unanswered=_capped(leads.unanswered().filter(**owned)),
        late=_capped(own_tasks.filter(**owned), LATE_CAP),
    )
    names = ("pk", "name", "open", "unanswered", "late")
    found = list(counted.values(*names))
    responses = _responses(leads, [row["pk"] for row in found])
    rows = [
        CountRow(row["name"], {**row, "owner": row["pk"], "response": responses.get(row["pk"])})
        for row in found
    ]
    return sorted(rows, key=lambda row: -row.numbers["open"])


def _responses(leads: LeadQuerySet, owners: list[int]) -> dict[int | None, timedelta | None]:
    recent = leads.filter(created_at__gte=days_ago(DAYS - 1), owner__in=owners)
    answered = recent.filter(conditions.ANSWERED).order_by().values_list("owner")
    return dict(answered.annotate(response=Median(_RESPONSE)))


def ledger(submissions: SubmissionQuerySet) -> LedgerNumbers:
    """Count waiting, parked and quarantined submissions; each count reads a partial index."""
    waiting = submissions.waiting()
    return LedgerNumbers(
        waiting=pagination.capped_count(waiting),
        oldest=waiting.aggregate(oldest=Min("received_at"))["oldest"],
        parked=pagination.capped_count(submissions.parked()),
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
    """Count the submissions to review (quarantined), capped."""
    return pagination.capped_count(submissions.quarantined())
