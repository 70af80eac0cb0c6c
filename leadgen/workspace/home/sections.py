"""Home page: the tiles and sections of each role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.current_user import current_user
from leadgen.accounts.models import User
from leadgen.accounts.roles import Role
from leadgen.accounts.visibility import visible, visible_rows
from leadgen.capture.models import Submission
from leadgen.forms.models import Form
from leadgen.leads.models import Lead, Stage, Task
from leadgen.leads.querysets import LATEST_ENQUIRY_FIRST
from leadgen.leads.visibility import owners_for
from leadgen.workspace.home import numbers
from leadgen.workspace.kit.html import in_words

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_MAX_ROWS = 6
_LAST_30_DAYS = _("last 30 days")


@dataclass(frozen=True, slots=True)
class Tile:
    """One number; the tone is warn or bad where a person has to act, else empty."""

    label: StrOrPromise
    value: str
    hint: StrOrPromise = ""
    url: str = ""
    tone: str = ""
    change: numbers.Change | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A card: its template, title, data and place (top, main or side)."""

    template: str
    title: StrOrPromise
    data: Any
    place: str = "side"
    more: dict[str, str] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        return slugify(str(self.title))


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the reader's tiles and sections to the context of the index page."""
    user = current_user(request)
    page = HomeContext(user)
    tiles, sections = _HOMES[Role(user.role)]
    return {
        **context,
        "title": gettext("Home"),
        "greeting": _greeting(user),
        "now": timezone.now(),
        "tiles": [make(page) for make in tiles],
        "sections": [section for make in sections if (section := make(page))],
    }


def tasks_badge(request: HttpRequest) -> str:
    """Return the number of the reader's due tasks; empty for none."""
    return _short(_due(current_user(request))[:100].count())


def quarantine_badge(request: HttpRequest) -> str:
    """Return the number of submissions to review (quarantined); empty for none."""
    user = current_user(request)
    if not user.has_perm("capture.change_submission"):
        return ""
    return _short(numbers.quarantined(visible_rows(Submission.objects.all(), user)))


class HomeContext:
    """The reader and the visible rows, shared by the tiles and sections of one page."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.leads = visible_rows(Lead.objects.all(), user)
        self.tasks = visible_rows(Task.objects.all(), user)
        self.submissions = visible_rows(Submission.objects.all(), user)
        self.forms, self.stages = visible(Form, user), visible(Stage, user)
        self.summary = numbers.lead_summary(self.leads)


def _new_leads_tile(page: HomeContext) -> Tile:
    change = page.summary.leads
    return Tile(
        _("New leads"), f"{change.now:,}", _LAST_30_DAYS, _url("lead", "all"), change=change
    )


def _not_contacted_tile(page: HomeContext) -> Tile:
    count = page.summary.unanswered
    hint = _("not contacted yet") if count else _("all contacted")
    return Tile(
        _("Not contacted"), f"{count:,}", hint, _url("lead", "new"), "warn" if count else ""
    )


def _no_owner_tile(page: HomeContext) -> Tile:
    count = page.summary.unowned
    hint = _("assign them") if count else _("every lead has an owner")
    return Tile(_("No owner"), f"{count:,}", hint, _url("lead", "unowned"), "bad" if count else "")


def _response_tile(page: HomeContext) -> Tile:
    return Tile(_("First response"), in_words(page.summary.response), _("median, last 30 days"))


def _won_tile(page: HomeContext) -> Tile:
    return Tile(_("Won"), f"{page.summary.won:,}", _LAST_30_DAYS, _url("lead", "won"))


def _tasks_due_tile(page: HomeContext) -> Tile:
    due = _due(page.user)
    late = due.filter(due_at__lt=timezone.now())[:1000].count()
    hint = gettext("%(count)s overdue") % {"count": late} if late else _("none overdue")
    count = due[:1000].count()
    return Tile(_("Due today"), f"{count:,}", hint, _url("task", "due"), "bad" if late else "")


def _submissions_tile(page: HomeContext) -> Tile:
    change = numbers.sent(page.submissions, page.forms)
    return Tile(_("Submissions"), f"{change.now:,}", _LAST_30_DAYS, change=change)


def _review_tile(page: HomeContext) -> Tile:
    count = numbers.quarantined(page.submissions)
    hint = _("held as possible spam") if count else _("nothing to review")
    url = reverse("admin:capture_submission_changelist")
    return Tile(_("To review"), f"{count:,}", hint, url, "warn" if count else "")


def _per_day_section(page: HomeContext) -> Section:
    days = numbers.per_day(page.leads)
    highest = max((count for _, count in days), default=0) or 1
    bars = [_bar(i, day, count * 100 / highest, count) for i, (day, count) in enumerate(days)]
    total = {"total": f"{sum(count for _, count in days):,}", "highest": str(highest)}
    return Section("chart", _("Leads per day"), bars, place="main", more=total)


def _stages_section(page: HomeContext) -> Section:
    rows = numbers.by_stage(page.leads, page.stages)
    return Section("stages", _("Open leads by stage"), _with_share(rows))


def _not_contacted_section(page: HomeContext) -> Section:
    leads = page.leads.unanswered().order_by(*LATEST_ENQUIRY_FIRST)
    return _leads_section(_("New, to contact"), "new", leads, place="main")


def _no_owner_section(page: HomeContext) -> Section:
    return _leads_section(_("Leads without an owner"), "unowned", page.leads.unowned())


def _leads_section(title: StrOrPromise, view: str, leads: Any, place: str = "side") -> Section:
    rows = leads.select_related("contact__company", "stage", "owner")[:_MAX_ROWS]
    return Section("leads", title, rows, place, more={"url": _url("lead", view)})


def _my_tasks_section(page: HomeContext) -> Section:
    tasks = page.tasks.open().filter(owner=page.user).select_related("lead__contact")
    more = {"url": _url("task", "mine")}
    return Section("tasks", _("Your tasks"), tasks.order_by("due_at", "id")[:_MAX_ROWS], more=more)


def _unowned_tasks_section(page: HomeContext) -> Section | None:
    tasks = page.tasks.unowned().select_related("lead__contact").order_by("due_at", "id")
    rows = list(tasks[:_MAX_ROWS])
    more = {"url": _url("task", "unowned")}
    return Section("tasks", _("Tasks without an owner"), rows, more=more) if rows else None


def _team_section(page: HomeContext) -> Section:
    people = owners_for(page.user).filter(takes_leads=True)
    rows = [
        {"row": row, "response": in_words(row.numbers["response"])}
        for row in numbers.workload(page.leads, page.tasks, people)
    ]
    return Section("team", _("Team workload"), rows, place="main")


def _sources_section(page: HomeContext) -> Section:
    rows = numbers.by_origin(page.leads, "source")
    return Section("origins", _("Leads by source"), _with_share(rows, "now"))


def _campaigns_section(page: HomeContext) -> Section:
    rows = numbers.by_origin(page.leads, "campaign__name")
    return Section("origins", _("Leads by campaign"), _with_share(rows, "now"))


def _forms_section(page: HomeContext) -> Section:
    rows = numbers.by_form(page.leads, page.forms, page.submissions)
    return Section("forms", _("Forms, last 30 days"), rows, place="main")


def _spool_section(page: HomeContext) -> Section | None:
    depth = numbers.spooled()
    is_empty = depth and not (depth.waiting or depth.parked)
    if is_empty:
        return None
    return Section("spool", _("Not in the database yet"), depth, place="top")


def _system_section(page: HomeContext) -> Section:
    return Section("system", _("System status"), numbers.ledger(page.submissions), place="top")


_Tiles = list[Callable[[HomeContext], Tile]]
_Sections = list[Callable[[HomeContext], Section | None]]
_HOMES: dict[Role, tuple[_Tiles, _Sections]] = {
    Role.SALES_REP: (
        [_not_contacted_tile, _tasks_due_tile, _new_leads_tile, _response_tile],
        [_not_contacted_section, _per_day_section, _my_tasks_section, _stages_section],
    ),
    Role.SALES_MANAGER: (
        [_new_leads_tile, _not_contacted_tile, _no_owner_tile, _response_tile],
        [
            _per_day_section,
            _team_section,
            _not_contacted_section,
            _stages_section,
            _no_owner_section,
            _unowned_tasks_section,
        ],
    ),
    Role.MARKETER: (
        [_new_leads_tile, _submissions_tile, _review_tile, _won_tile],
        [_spool_section, _per_day_section, _sources_section, _forms_section, _campaigns_section],
    ),
    Role.ADMIN: (
        [_new_leads_tile, _not_contacted_tile, _no_owner_tile, _review_tile],
        [
            _spool_section,
            _system_section,
            _per_day_section,
            _stages_section,
            _team_section,
            _unowned_tasks_section,
            _sources_section,
            _forms_section,
            _campaigns_section,
        ],
    ),
    Role.VIEWER: (
        [_new_leads_tile, _not_contacted_tile, _won_tile, _response_tile],
        [_per_day_section, _forms_section, _stages_section, _sources_section],
    ),
}


def _with_share(rows: list[numbers.CountRow], key: str = "count") -> list[dict[str, Any]]:
    """Add the width of each row's bar, in percent of the largest number."""
    largest = max((row.numbers[key] for row in rows), default=0) or 1
    return [{"row": row, "width": round(row.numbers[key] * 100 / largest, 1)} for row in rows]


def _bar(place: int, day: date, height: float, count: int) -> dict[str, Any]:
    """Return a bar of the chart in the units of the SVG, 300 wide and 100 high."""
    left, high = place * 10, round(height, 2)
    return {
        "day": day,
        "count": count,
        "left": left,
        "x": left + 1.5,
        "y": 100 - high,
        "high": high,
    }


def _due(user: User) -> Any:
    tasks = visible_rows(Task.objects.all(), user)
    return tasks.due_before(numbers.days_ago(-1)).filter(owner=user)


def _url(model: str, view: str) -> str:
    return reverse(f"admin:leads_{model}_changelist") + f"?view={view}"


def _short(count: int) -> str:
    return "99+" if count > 99 else str(count or "")


def _greeting(user: User) -> str:
    hour = timezone.localtime().hour
    text = _("Good evening, %(name)s")
    if hour < 18:
        text = _("Good morning, %(name)s") if hour < 12 else _("Good afternoon, %(name)s")
    return text % {"name": (user.name.split() or [user.name])[0]}
