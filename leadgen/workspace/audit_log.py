"""Audit log: the events, read only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.current_user import current_user
from leadgen.accounts.visibility import visible
from leadgen.events.models import Event
from leadgen.workspace.kit.filters import DropdownFilter
from leadgen.workspace.kit.html import ago, badge, clip
from leadgen.workspace.kit.html import event as in_words
from leadgen.workspace.kit.scoped_admin import ScopedAdmin

# A filter by kind reads this number of the newest events, never the whole log.
_RECENT = 100_000
_SAMPLE = 10_000
# The state that undo restores: JSON sorts it first, before what happened.
_FOR_PROGRAMS = frozenset({"undo"})


class KindFilter(DropdownFilter):
    title, parameter_name = _("event"), "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        events = visible(Event, current_user(request)).order_by("-id")
        newest = events.values("kind")[:_SAMPLE]
        kinds = sorted({row["kind"] for row in newest})
        return [(kind, in_words(kind)) for kind in kinds]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        if not self.chosen:
            return queryset
        events = visible(Event, current_user(request)).order_by("-id")
        last = events.values_list("id", flat=True).first() or 0
        return queryset.filter(kind=self.chosen, id__gt=last - _RECENT)


@admin.register(Event)
class EventAdmin(ScopedAdmin):
    list_display = ("kind_badge", "who", "subject", "details", "when")
    list_filter = (KindFilter,)
    list_select_related = ("actor",)
    list_display_links = None
    ordering = ("-id",)
    search_fields = ("subject_id",)
    search_help_text = _("Type of record and its number, such as lead 42")
    sortable_by = ()
    fields = ("kind", "who", "subject_type", "subject_id", "data", "at")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request, {"title": gettext("Audit log"), **(extra_context or {})}
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        words = search_term.split()
        if not words:
            return queryset, False
        if len(words) != 2:
            return queryset.none(), False
        return queryset.filter(subject_type=words[0].lower(), subject_id=words[1]), False

    @admin.display(description=_("Event"))
    def kind_badge(self, event: Event) -> str:
        return badge(in_words(event.kind))

    @admin.display(description=_("Who"))
    def who(self, event: Event) -> str:
        return clip(event.author.label)

    @admin.display(description=_("Record"))
    def subject(self, event: Event) -> str:
        return clip(f"{event.subject_type} {event.subject_id}")

    @admin.display(description=_("Details"))
    def details(self, event: Event) -> str:
        shown = {key: value for key, value in event.data.items() if key not in _FOR_PROGRAMS}
        return clip(", ".join(f"{key}: {value}" for key, value in shown.items())[:500])

    @admin.display(description=_("When"))
    def when(self, event: Event) -> str:
        return ago(event.at)
