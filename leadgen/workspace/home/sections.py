"""Home page: the tiles and sections of each role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.current_user import current_user
from leadgen.accounts.models import User
from leadgen.accounts.roles import Role
from leadgen.accounts.visibility import visible_rows
from leadgen.capture.models import Submission
from leadgen.leads.querysets import LATEST_ENQUIRY_FIRST
from leadgen.leads.visibility import owners_for
from leadgen.workspace.home import numbers, tiles
from leadgen.workspace.kit.html import in_words
from leadgen.workspace.kit.pagination import first_rows, shown

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_MAX_ROWS = 6


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
    page = tiles.HomeContext(user)
    makers, sections = _HOMES[Role(user.role)]
    return {
        **context,
        "title": gettext("Home"),
        "greeting": _greeting(user),
        "now": timezone.now(),
        "tiles": [make(page) for make in makers],
        "sections": [section for make in sections if (section := make(page))],
    }


def tasks_badge(request: HttpRequest) -> str:
    """Return the number of the reader's due tasks; empty for none."""
    return _short(tiles.due_tasks(current_user(request))[:100].count())


def quarantine_badge(request: HttpRequest) -> str:
    """Return the number of submissions to review (quarantined); empty for none."""
    user = current_user(request)
    if not user.has_perm("capture.change_submission"):
        return ""
    return _short(numbers.quarantined(visible_rows(Submission.objects.all(), user)))


def _per_day_section(page: tiles.HomeContext) -> Section:
    days = numbers.per_day(page.leads)
    highest = max((count for _, count in days), default=0) or 1
    bars = [_bar(i, day, count * 100 / highest, count) for i, (day, count) in enumerate(days)]
    total = {"total": f"{sum(count for _, count in days):,}", "highest": str(highest)}
    return Section("chart", _("Leads per day"), bars, place="main", more=total)


def _stages_section(page: tiles.HomeContext) -> Section:
    rows = numbers.by_stage(page.leads, page.stages)
    return Section("stages", _("Open leads by stage"), _with_share(rows))


def _not_contacted_section(page: tiles.HomeContext) -> Section:
    leads = page.leads.unanswered().order_by(*LATEST_ENQUIRY_FIRST)
    return _leads_section(_("New, to contact"), "new", leads, place="main")


def _no_owner_section(page: tiles.HomeContext) -> Section:
    return _leads_section(_("Leads without an owner"), "unowned", page.leads.unowned())


def _leads_section(title: StrOrPromise, view: str, leads: Any, place: str = "side") -> Section:
    rows = first_rows(leads.select_related("contact__company", "stage", "owner"), _MAX_ROWS)
    return Section("leads", title, rows, place, more={"url": tiles.list_url("lead", view)})


def _my_tasks_section(page: tiles.HomeContext) -> Section:
    tasks = page.tasks.open().filter(owner=page.user).select_related("lead__contact")
    more = {"url": tiles.list_url("task", "mine")}
    rows = first_rows(tasks.order_by("due_at", "id"), _MAX_ROWS)
    return Section("tasks", _("Your tasks"), rows, more=more)


def _unowned_tasks_section(page: tiles.HomeContext) -> Section | None:
    tasks = page.tasks.unowned().select_related("lead__contact").order_by("due_at", "id")
    rows = first_rows(tasks, _MAX_ROWS)
    more = {"url": tiles.list_url("task", "unowned")}
    return Section("tasks", _("Tasks without an owner"), rows, more=more) if rows else None


def _team_section(page: tiles.HomeContext) -> Section:
    people = owners_for(page.user).filter(takes_leads=True)
    rows = [
        {
            "row": row,
            "response": in_words(row.numbers["response"]),
            "shown": {
                **{name: shown(row.numbers[name]) for name in ("open", "unanswered")},
                "late": shown(row.numbers["late"], numbers.LATE_CAP),
            },
        }
        for row in numbers.workload(page.leads, page.tasks, people)
    ]
    return Section("team", _("Team workload"), rows, place="main")


def _sources_section(page: tiles.HomeContext) -> Section:
    rows = numbers.by_origin(page.leads, "source", "source")
    more = {"url": tiles.since_url("leads.lead", "all", "created_at"), "parameter": "source"}
    title = _("Leads by source, last 30 days")
    return Section("origins", title, _with_share(rows, "now"), more=more)


def _campaigns_section(page: tiles.HomeContext) -> Section:
    rows = numbers.by_origin(page.leads, "campaign__name", "campaign")
    more = {"url": tiles.since_url("leads.lead", "all", "created_at"), "parameter": "campaign"}
    title = _("Leads by campaign, last 30 days")
    return Section("origins", title, _with_share(rows, "now"), more=more)


def _forms_section(page: tiles.HomeContext) -> Section:
    rows = numbers.by_form(page.leads, page.forms, page.submissions)
    return Section("forms", _("Forms, last 30 days"), rows, place="main")


def _spool_section(page: tiles.HomeContext) -> Section | None:
    depth = numbers.spooled()
    is_empty = depth and not (depth.waiting or depth.parked)
    if is_empty:
        return None
    return Section("spool", _("Not in the database yet"), depth, place="top")


def _system_section(page: tiles.HomeContext) -> Section:
    return Section("system", _("System status"), numbers.ledger(page.submissions), place="top")


_Tiles = list[Callable[[tiles.HomeContext], tiles.Tile]]
_Sections = list[Callable[[tiles.HomeContext], Section | None]]
_HOMES: dict[Role, tuple[_Tiles, _Sections]] = {
    Role.SALES_REP: (
        [tiles.not_contacted_tile, tiles.tasks_due_tile, tiles.new_leads_tile, tiles.response_tile],
        [_not_contacted_section, _per_day_section, _my_tasks_section, _stages_section],
    ),
    Role.SALES_MANAGER: (
        [tiles.new_leads_tile, tiles.not_contacted_tile, tiles.no_owner_tile, tiles.response_tile],
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
        [tiles.new_leads_tile, tiles.submissions_tile, tiles.review_tile, tiles.won_tile],
        [_spool_section, _per_day_section, _sources_section, _forms_section, _campaigns_section],
    ),
    Role.ADMIN: (
        [tiles.new_leads_tile, tiles.not_contacted_tile, tiles.no_owner_tile, tiles.review_tile],
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
        [tiles.new_leads_tile, tiles.not_contacted_tile, tiles.won_tile, tiles.response_tile],
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


def _short(count: int) -> str:
    return "99+" if count > 99 else str(count or "")


def _greeting(user: User) -> str:
    hour = timezone.localtime().hour
    text = _("Good evening, %(name)s")
    if hour < 18:
        text = _("Good morning, %(name)s") if hour < 12 else _("Good afternoon, %(name)s")
    return text % {"name": (user.name.split() or [user.name])[0]}
