"""The one place where pages get their rows: what the reader may see, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin import ShowFacets
from django.db.models import Model, QuerySet, URLField
from django.db.models.fields.related import RelatedField
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from unfold import admin as unfold

from leadgen.accounts.bounded import BoundedAdmin
from leadgen.accounts.models import User
from leadgen.events import services as events
from leadgen.lib.pagination import CappedPaginator

if TYPE_CHECKING:
    from django.contrib import admin

    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
else:
    ModelAdmin, TabularInline = unfold.ModelAdmin, unfold.TabularInline


def reader(request: HttpRequest) -> User:
    """The person who is logged in; only for pages that the admin site has let through."""
    return cast(User, request.user)


def scoped(rows: QuerySet[Any], user: User) -> QuerySet[Any]:
    """Narrow rows to what the person may see, where their QuerySet has ``visible_to``."""
    visible_to = getattr(rows, "visible_to", None)
    return visible_to(user) if visible_to else rows


def is_id(text: str) -> bool:
    """Tell whether a text from a URL or a form can be a row's number."""
    return text.isascii() and text.isdigit() and len(text) < 19


class ScopedAdmin(BoundedAdmin, ModelAdmin):
    """A page whose lists, forms and choices hold visible rows only.

    Nothing is counted beyond a cap or deleted in bulk, and each change writes an event, so the
    audit trail is the event log.
    """

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    list_filter_submit = True
    compressed_fields = False
    show_facets = ShowFacets.NEVER
    empty_hint = ""
    formfield_overrides = {URLField: {"assume_scheme": "https"}}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return scoped(super().get_queryset(request), reader(request))

    def get_field_queryset(
        self, db: str | None, db_field: RelatedField[Any, Any], request: HttpRequest
    ) -> QuerySet[Any] | None:
        rows = super().get_field_queryset(db, db_field, request)
        if rows is None:
            rows = db_field.remote_field.model._default_manager.all()
        return scoped(rows, reader(request))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return self._record(request, "added", obj, {})

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return self._record(request, "changed", obj, {"changes": message}) if message else None

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        return [self._record(request, "deleted", row, {"name": str(row)}) for row in queryset]

    def _record(self, request: HttpRequest, verb: str, obj: Model, data: dict[str, Any]) -> Any:
        kind = f"{obj._meta.model_name}.{verb}"
        return events.emit(kind, obj, actor=reader(request), data=data)
