"""Page of pipelines and their stages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.current_user import current_user
from leadgen.leads import record_services
from leadgen.leads.models import Pipeline, Stage
from leadgen.workspace.kit.bounded_admin import BoundedInline
from leadgen.workspace.kit.concurrent_edits import ConcurrentEditForm, ConcurrentEditFormSet
from leadgen.workspace.kit.html import badge
from leadgen.workspace.kit.scoped_admin import (
    ScopedAdmin,
    TabularInline,
    edited_values,
    lock_row,
    row_edits,
)


class StageForm(ConcurrentEditForm):
    """Form of a stage; the type of a stage with leads stays."""

    class Meta:
        model = Stage
        fields = ("name", "type", "position")

    def clean(self) -> None:
        super().clean()
        if self.instance.pk and "type" in self.changed_data and "type" in self.cleaned_data:
            record_services.refuse_type(self.instance, self.cleaned_data["type"])


class StageFormSet(ConcurrentEditFormSet):
    """Formset of a pipeline's stages, of which one stays open."""

    def clean(self) -> None:
        super().clean()
        stages = [form.cleaned_data for form in self.forms if not form.errors]
        kept = [stage for stage in stages if stage and not stage.get("DELETE")]
        record_services.require_open([stage["type"] for stage in kept])


class StageInline(BoundedInline, TabularInline):
    model = Stage
    form = StageForm
    formset = StageFormSet
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

    def lock(self, row: Pipeline) -> bool:
        return lock_row(row)

    def save_model(self, request: HttpRequest, obj: Pipeline, form: Any, change: bool) -> None:
        """Save nothing: save_related writes the pipeline and its stages with one verb."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        actor, stages = current_user(request), row_edits(formsets[0])
        if change:
            values = edited_values(form)
            record_services.update_pipeline(form.instance, values, stages, actor=actor)
        else:
            record_services.add_pipeline(form.instance, stages.added, actor=actor)

    def delete_model(self, request: HttpRequest, obj: Pipeline) -> None:
        record_services.delete_pipeline(obj, actor=current_user(request))

    @admin.display(description=_("Stages"))
    def stage_count(self, pipeline: Pipeline) -> int:
        return int(getattr(pipeline, "stage_count", 0))

    @admin.display(description=_("New leads"))
    def default_badge(self, pipeline: Pipeline) -> str:
        return badge(gettext("Start here"), "new") if pipeline.is_default else ""
