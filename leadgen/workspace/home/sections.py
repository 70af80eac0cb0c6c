"""The home page: for each role the numbers and lists that it works by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from leadgen.accounts.current_user import current_user
from leadgen.accounts.models import User
from leadgen.accounts.roles import Role
from leadgen.accounts.visibility import visible_rows
from leadgen.leads.models import Lead, Task
from leadgen.leads.visibility import owners_for
from leadgen.workspace.home import numbers
from leadgen.workspace.kit.html import in_words

_LIST = 6


@dataclass(frozen=True, slots=True)
class Tile:
    """One number; tone is empty, warn or bad where it asks for something to be done."""

    label: str
    value: str
    hint: str = ""
    url: str = ""
    tone: str = ""
    change: numbers.Change | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A card: the template that draws it, its title and data; placed top, main or side."""

    template: str
    title: str
    data: Any
    place: str = "side"
    more: dict[str, str] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        return slugify(self.title)


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the reader's tiles and sections to the context of the index page."""
    user = current_user(request)
    desk = HomeContext(user)
    tiles, sections = _HOMES[Role(user.role)]
    return {
        **context,
        "title": "Home",
        "greeting": _greeting(user),
        "now": timezone.now(),
        "tiles": [make(desk) for make in tiles],
        "sections": [section for make in sections if (section := make(desk))],
    }


def tasks_badge(request: HttpRequest) -> str:
    """How many of the reader's tasks are due; empty for none."""
    return _short(_due(current_user(request))[:100].count())


def quarantine_badge(request: HttpRequest) -> str:
    """How many submissions wait in quarantine; empty for none."""
    may_decide = current_user(request).has_perm("capture.change_submission")
    return _short(numbers.quarantined()) if may_decide else ""


class HomeContext:
    """What the sections of one page share: the reader, and the rows the reader may see."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.leads = visible_rows(Lead.objects.all(), user)
        self.tasks = visible_rows(Task.objects.all(), user)
        self.pulse = numbers.lead_summary(self.leads)


def _came(desk: HomeContext) -> Tile:
    change = desk.pulse.leads
    return Tile("New leads", f"{change.now:,}", "last 30 days", _url("lead", "all"), change=change)


def _unanswered(desk: HomeContext) -> Tile:
    count = desk.pulse.unanswered
    hint = "no answer yet" if count else "all answered"
    return Tile("Not answered", f"{count:,}", hint, _url("lead", "new"), "warn" if count else "")


def _unowned(desk: HomeContext) -> Tile:
    count = desk.pulse.unowned
    hint = "give them to somebody" if count else "every lead has an owner"
    return Tile("No owner", f"{count:,}", hint, _url("lead", "unowned"), "bad" if count else "")


def _response(desk: HomeContext) -> Tile:
    return Tile("First response", in_words(desk.pulse.response), "median, last 30 days")


def _won(desk: HomeContext) -> Tile:
    return Tile("Won", f"{desk.pulse.won:,}", "last 30 days", _url("lead", "won"))


def _tasks_due(desk: HomeContext) -> Tile:
    due = _due(desk.user)
    late = due.filter(due_at__lt=timezone.now())[:1000].count()
    hint = f"{late} overdue" if late else "none overdue"
    count = due[:1000].count()
    return Tile("Due today", f"{count:,}", hint, _url("task", "due"), "bad" if late else "")


def _sent(desk: HomeContext) -> Tile:
    change = numbers.submissions()
    return Tile("Submissions", f"{change.now:,}", "last 30 days", change=change)


def _held(desk: HomeContext) -> Tile:
    count = numbers.quarantined()
    hint = "release or leave them" if count else "nothing to look at"
    url = reverse("admin:capture_submission_changelist")
    return Tile("In quarantine", f"{count:,}", hint, url, "warn" if count else "")


def _per_day(desk: HomeContext) -> Section:
    days = numbers.per_day(desk.leads)
    highest = max((count for _, count in days), default=0) or 1
    bars = [_bar(i, day, count * 100 / highest, count) for i, (day, count) in enumerate(days)]
    total = {"total": f"{sum(count for _, count in days):,}", "highest": str(highest)}
    return Section("chart", "Leads per day", bars, place="main", more=total)


def _stages(desk: HomeContext) -> Section:
    return Section("stages", "Open leads by stage", _with_share(numbers.by_stage(desk.leads)))


def _new(desk: HomeContext) -> Section:
    return _leads("Waiting for an answer", "new", desk.leads.unanswered(), place="main")


def _without_owner(desk: HomeContext) -> Section:
    return _leads("Leads without an owner", "unowned", desk.leads.unowned())


def _leads(title: str, view: str, leads: Any, place: str = "side") -> Section:
    rows = leads.select_related("contact__company", "stage", "owner")[:_LIST]
    return Section("leads", title, rows, place, more={"url": _url("lead", view)})


def _my_tasks(desk: HomeContext) -> Section:
    tasks = desk.tasks.open().filter(owner=desk.user).select_related("lead__contact")
    more = {"url": _url("task", "mine")}
    return Section("tasks", "Your tasks", tasks.order_by("due_at", "id")[:_LIST], more=more)


def _team(desk: HomeContext) -> Section:
    people = owners_for(desk.user).filter(takes_leads=True)
    rows = [
        {"row": row, "response": in_words(row.numbers["response"])}
        for row in numbers.workload(desk.leads, desk.tasks, people)
    ]
    return Section("team", "Who has what", rows, place="main")


def _sources(desk: HomeContext) -> Section:
    rows = numbers.by_origin(desk.leads, "source")
    return Section("origins", "Leads by source", _with_share(rows, "now"))


def _campaigns(desk: HomeContext) -> Section:
    rows = numbers.by_origin(desk.leads, "campaign__name")
    return Section("origins", "Leads by campaign", _with_share(rows, "now"))


def _forms(desk: HomeContext) -> Section:
    return Section("forms", "Forms, last 30 days", numbers.by_form(desk.leads), place="main")


def _spool(desk: HomeContext) -> Section | None:
    depth = numbers.spooled()
    is_empty = depth and not (depth.waiting or depth.parked)
    return None if is_empty else Section("spool", "Not in the ledger yet", depth, place="top")


def _system(desk: HomeContext) -> Section:
    return Section("system", "The ledger", numbers.ledger(), place="top")


_Tiles = list[Callable[[HomeContext], Tile]]
_Sections = list[Callable[[HomeContext], Section | None]]
_HOMES: dict[Role, tuple[_Tiles, _Sections]] = {
    Role.SALES_REP: (
        [_unanswered, _tasks_due, _came, _response],
        [_new, _per_day, _my_tasks, _stages],
    ),
    Role.SALES_MANAGER: (
        [_came, _unanswered, _unowned, _response],
        [_per_day, _team, _new, _stages, _without_owner],
    ),
    Role.MARKETER: (
        [_came, _sent, _held, _won],
        [_spool, _per_day, _sources, _forms, _campaigns],
    ),
    Role.ADMIN: (
        [_came, _unanswered, _unowned, _held],
        [_spool, _system, _per_day, _stages, _team, _sources, _forms, _campaigns],
    ),
    Role.VIEWER: (
        [_came, _unanswered, _won, _response],
        [_per_day, _forms, _stages, _sources],
    ),
}


def _with_share(rows: list[numbers.CountRow], key: str = "count") -> list[dict[str, Any]]:
    """Add each row's part of the largest, in percent, as the width of its bar."""
    largest = max((row.numbers[key] for row in rows), default=0) or 1
    return [{"row": row, "width": round(row.numbers[key] * 100 / largest, 1)} for row in rows]


def _bar(place: int, day: date, height: float, count: int) -> dict[str, Any]:
    """A bar of the chart in the units of its drawing, 300 wide and 100 high."""
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
    part = "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
    return f"Good {part}, {user.name.split()[0] if user.name.split() else user.name}"
