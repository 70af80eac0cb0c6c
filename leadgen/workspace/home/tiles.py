"""Tiles of the home page: each is one number and links to the list of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.models import User
from leadgen.accounts.visibility import visible, visible_rows
from leadgen.capture.models import Submission
from leadgen.forms.models import Form
from leadgen.leads.models import Lead, Stage, Task
from leadgen.workspace.home import numbers
from leadgen.workspace.home.numbers import DAYS, days_ago
from leadgen.workspace.kit.html import in_words
from leadgen.workspace.kit.pagination import capped_count, shown

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

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


class HomeContext:
    """The reader and the visible rows, shared by the tiles and sections of one page."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.leads = visible_rows(Lead.objects.all(), user)
        self.tasks = visible_rows(Task.objects.all(), user)
        self.submissions = visible_rows(Submission.objects.all(), user)
        self.forms, self.stages = visible(Form, user), visible(Stage, user)
        self.summary = numbers.lead_summary(self.leads)


def new_leads_tile(page: HomeContext) -> Tile:
    change = page.summary.leads
    url = since_url("leads.lead", "all", "created_at")
    return Tile(_("New leads"), shown(change.now), _LAST_30_DAYS, url, change=change)


def not_contacted_tile(page: HomeContext) -> Tile:
    count = capped_count(page.leads.unanswered())
    hint = _("not contacted yet") if count else _("all contacted")
    url, tone = list_url("lead", "new"), "warn" if count else ""
    return Tile(_("Not contacted"), shown(count), hint, url, tone)


def no_owner_tile(page: HomeContext) -> Tile:
    count = capped_count(page.leads.unowned())
    hint = _("assign them") if count else _("every lead has an owner")
    url, tone = list_url("lead", "unowned"), "bad" if count else ""
    return Tile(_("No owner"), shown(count), hint, url, tone)


def response_tile(page: HomeContext) -> Tile:
    hint = _("median of the last 30 days' leads")
    return Tile(_("First response"), in_words(page.summary.response), hint)


def won_tile(page: HomeContext) -> Tile:
    count = capped_count(page.leads.won().filter(closed_at__gte=days_ago(DAYS - 1)))
    url = since_url("leads.lead", "won", "closed_at")
    return Tile(_("Won"), shown(count), _("closed in the last 30 days"), url)


def tasks_due_tile(page: HomeContext) -> Tile:
    due = due_tasks(page.user)
    late = capped_count(due.filter(due_at__lt=timezone.now()))
    hint = gettext("%(count)s overdue") % {"count": shown(late)} if late else _("none overdue")
    count, tone = capped_count(due), "bad" if late else ""
    return Tile(_("Due today"), shown(count), hint, list_url("task", "due"), tone)


def submissions_tile(page: HomeContext) -> Tile:
    change = numbers.sent(page.submissions, page.forms)
    url = since_url("capture.submission", "all", "received_at")
    return Tile(_("Submissions"), shown(change.now), _LAST_30_DAYS, url, change=change)


def review_tile(page: HomeContext) -> Tile:
    count = numbers.quarantined(page.submissions)
    hint = _("held as possible spam") if count else _("nothing to review")
    url = reverse("admin:capture_submission_changelist")
    return Tile(_("To review"), shown(count), hint, url, "warn" if count else "")


def due_tasks(user: User) -> Any:
    tasks = visible_rows(Task.objects.all(), user)
    return tasks.due_before(days_ago(-1)).filter(owner=user)


def list_url(model: str, view: str) -> str:
    return reverse(f"admin:leads_{model}_changelist") + f"?view={view}"


def since_url(model: str, view: str, column: str) -> str:
    """Return the address of the rows of the last 30 days in a view of a list."""
    first_day = numbers.first_day().isoformat()
    address = reverse(f"admin:{model.replace('.', '_')}_changelist")
    return f"{address}?view={view}&{column}_from={first_day}"
