"""List of tasks."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.current_user import current_user
from leadgen.accounts.models import User
from leadgen.accounts.visibility import visible
from leadgen.leads import bulk_services, services
from leadgen.leads.models import Task
from leadgen.leads.visibility import may_own_task, owners_for
from leadgen.lib.search.matching import matching
from leadgen.workspace.home.numbers import days_ago
from leadgen.workspace.kit.bounded_admin import outcome
from leadgen.workspace.kit.filters import ViewTabs
from leadgen.workspace.kit.html import BUTTON, DASH, badge, clip, moment
from leadgen.workspace.kit.scoped_admin import ScopedAdmin, edited_values, is_id, lock_row


class TaskViews(ViewTabs):
    views: ClassVar = {
        "mine": (_("Mine"), lambda rows, user: rows.open().filter(owner=user)),
        "due": (
            _("Due today"),
            lambda rows, user: rows.due_before(days_ago(-1)).filter(owner=user),
        ),
        "overdue": (
            _("Team overdue"),
            lambda rows, user: rows.due_before(timezone.now()),
        ),
        "unowned": (_("No owner"), lambda rows, user: rows.unowned()),
        "open": (_("All"), lambda rows, user: rows.open()),
        "done": (_("Done"), lambda rows, user: rows.done()),
    }


class TaskOwnerForm(forms.ModelForm):  # type: ignore[type-arg]
    """A task's page: its owner is a person who works leads and sees this one."""

    def clean_owner(self) -> User | None:
        owner: User | None = self.cleaned_data["owner"]
        if owner and "owner" in self.changed_data and not may_own_task(owner, self.instance.lead):
            text = gettext("%(person)s does not see this lead; choose another person.")
            raise ValidationError(text % {"person": owner})
        return owner


@admin.register(Task)
class TaskAdmin(ScopedAdmin):
    form = TaskOwnerForm
    list_display = ("what", "person", "due", "owner_name", "tick")
    list_filter = (TaskViews,)
    list_select_related = ("lead__contact", "owner")
    list_before_template = "admin/view_tabs_bar.html"
    list_fullwidth = True
    search_fields = ("title",)
    search_help_text = _("Title")
    fields = ("title", ("due_at", "owner"), "person")
    readonly_fields = ("person",)
    empty_hint = _("Tasks are added on a lead's page.")
    sortable_by = ()
    actions = ("complete",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a task is added on its lead's page

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the order of the view's index: the first due, or the last done."""
        return ("-done_at", "-id") if request.GET.get("view") == "done" else ("due_at", "id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Task], search_term: str
    ) -> tuple[QuerySet[Task], bool]:
        return matching(queryset, "title", search_term), False

    def get_field_queryset(
        self, db: str | None, db_field: Any, request: HttpRequest
    ) -> QuerySet[Any] | None:
        """Offer the people to whom the reader may assign, and the present owner."""
        rows = super().get_field_queryset(db, db_field, request)
        if rows is None or db_field.name != "owner" or not request.resolver_match:
            return rows
        user, key = current_user(request), str(request.resolver_match.kwargs.get("object_id", ""))
        present = visible(Task, user).filter(pk=int(key) if is_id(key) else 0).values("owner")
        return rows.filter(Q(pk__in=owners_for(user)) | Q(pk__in=present))

    def lock(self, row: Task) -> bool:
        return lock_row(row.lead)  # the verbs of tasks lock the lead first

    def save_model(self, request: HttpRequest, obj: Task, form: Any, change: bool) -> None:
        services.update_task(obj, edited_values(form), actor=current_user(request))

    def delete_model(self, request: HttpRequest, obj: Task) -> None:
        services.delete_task(obj, actor=current_user(request))

    def get_list_display(self, request: HttpRequest) -> Any:
        """Leave out the buttons for readers who may not change tasks."""
        shown = super().get_list_display(request)
        return shown if self.has_change_permission(request) else shown[:-1]

    @admin.display(description=_("Task"))
    def what(self, task: Task) -> str:
        return clip(task.title)

    @admin.display(description=_("Lead"))
    def person(self, task: Task) -> str:
        url = reverse("admin:leads_lead_change", args=[task.lead_id])
        return format_html('<a class="ws-link" href="{}">{}</a>', url, clip(str(task.lead.contact)))

    @admin.display(description=_("Due"))
    def due(self, task: Task) -> str:
        if task.done_at:
            return badge(gettext("Done"), "won")
        if not task.due_at:
            return DASH
        text = moment(task.due_at)
        return badge(text, "bad") if task.due_at < timezone.now() else text

    @admin.display(description=_("Owner"))
    def owner_name(self, task: Task) -> str:
        return clip(task.owner.name) if task.owner else DASH

    @admin.display(description="")
    def tick(self, task: Task) -> str:
        verb, text = ("reopen", gettext("Reopen")) if task.done_at else ("done", gettext("Done"))
        address = reverse(f"admin:lead_task_{verb}", args=[task.lead_id, task.pk])
        return format_html(BUTTON, address, text)

    @admin.action(description=_("Mark as done"), permissions=["change"])
    def complete(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        changed = bulk_services.complete_tasks(chosen, actor=current_user(request))
        message = outcome(
            Task, len(chosen), changed, done=gettext("marked as done"), kept=gettext("done already")
        )
        self.message_user(request, message)
