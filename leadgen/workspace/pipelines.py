"""Page of pipelines and their stages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.leads.models import Pipeline, Stage
from leadgen.workspace.kit.bounded_admin import BoundedInline
from leadgen.workspace.kit.html import badge
from leadgen.workspace.kit.scoped_admin import ScopedAdmin, TabularInline


class StageInline(BoundedInline, TabularInline):
    model = Stage
    deletion_hint = _("Move its leads to another stage first, or rename it.")
    fields = ("name", "type", "position")
    ordering = ("position", "id")
    ordering_field = "position"
    hide_ordering_field = True
    extra = 0
    min_num = 1
    hide_title = True


@admin.register(Pipeline)
class PipelineAdmin(ScopedAdmin):
    event_kinds = {
        "added": "pipeline.added",
        "changed": "pipeline.changed",
        "deleted": "pipeline.deleted",
    }
    list_display = ("name", "stage_count", "default_badge")
    deletion_hint = _(
        "Let new leads start in another pipeline instead: this one then gets no more, and its "
        "leads keep their stages."
    )
    fields = ("name", "is_default")
    inlines = (StageInline,)
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(stage_count=Count("stages"))

    def get_form(
        self, request: HttpRequest, obj: Pipeline | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        labels = {"is_default": gettext("New leads start in this pipeline")}
        return super().get_form(request, obj, change, labels=labels, **kwargs)

    @admin.display(description=_("Stages"))
    def stage_count(self, pipeline: Pipeline) -> int:
        return int(getattr(pipeline, "stage_count", 0))

    @admin.display(description=_("New leads"))
    def default_badge(self, pipeline: Pipeline) -> str:
        return badge(gettext("Start here"), "new") if pipeline.is_default else ""
