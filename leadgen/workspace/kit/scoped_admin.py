"""Base class of the workspace's admin pages: only visible rows in lists, forms and choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import SEARCH_VAR
from django.db import transaction
from django.db.models import Model, QuerySet, URLField
from django.db.models.fields.related import RelatedField
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from unfold import admin as unfold

from leadgen.accounts.current_user import current_user
from leadgen.accounts.visibility import visible_rows
from leadgen.lib.edits import RowEdits
from leadgen.workspace.kit import parameters
from leadgen.workspace.kit.bounded_admin import BoundedAdmin
from leadgen.workspace.kit.concurrent_edits import concurrent
from leadgen.workspace.kit.pagination import SEARCH_CAP, CappedPaginator, LastPage
from leadgen.workspace.kit.parameters import is_id as is_id

if TYPE_CHECKING:
    from django.contrib import admin
    from django_stubs_ext import StrOrPromise

    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
else:
    ModelAdmin, TabularInline = unfold.ModelAdmin, unfold.TabularInline


def edited_values(form: Any) -> dict[str, Any]:
    """Return the values that the reader changed in a form, by field name."""
    return {name: form.cleaned_data[name] for name in form.changed_data}


def row_edits(formset: Any) -> RowEdits:
    """Return the edits of an inline's rows, for the verb of the row that they belong to."""
    formset.save(commit=False)
    changed = {form.instance.pk: form for form in formset.saved_forms if form.instance.pk}
    return RowEdits(
        added=formset.new_objects,
        changed={pk: edited_values(form) for pk, form in changed.items()},
        deleted=[row.pk for row in formset.deleted_objects],
    )


class ScopedAdmin(BoundedAdmin, ModelAdmin):
    """A page whose lists, forms and choices hold visible rows only.

    Nothing is counted beyond a cap or deleted in bulk. The verbs of the domains write every change
    and its event; a page that is older than its row undoes no change (concurrent_edits.py).
    """

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    list_filter_submit = True
    compressed_fields = False
    show_facets = ShowFacets.NEVER
    # In its order a list is counted from the index of the order, else by the plan of PostgreSQL.
    counts_in_order = False
    empty_hint: StrOrPromise = ""
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    _declared: frozenset[str] | None = None

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        parameters.drop_undeclared(self, request)
        if chosen := request.POST.getlist(ACTION_CHECKBOX_NAME):
            sent = request.POST.copy()
            sent.setlist(ACTION_CHECKBOX_NAME, parameters.usable_keys(self.opts.pk, chosen))
            request.POST = sent  # type: ignore[assignment]
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list; without its filters if a value of one is invalid."""
        for _ in range(2):
            try:
                return super().get_changelist_instance(request)
            except parameters.UNUSABLE as error:
                parameters.drop_unusable(self, request, error)
        return super().get_changelist_instance(request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        """Return Django's list with its last page for a page that is gone."""
        base: Any = super().get_changelist(request, **kwargs)
        return type("LastPageList", (LastPage, base), {})

    def get_paginator(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the paginator; a search counts and shows fewer rows."""
        paginator: Any = super().get_paginator(request, *args, **kwargs)
        if request.GET.get(SEARCH_VAR, "").strip():
            paginator.cap = SEARCH_CAP
        paginator.counts_in_order = self.counts_in_order
        return paginator

    def declared_parameters(self, request: HttpRequest) -> frozenset[str]:
        """Return the parameters of the list's filters, cached: some filters query the database."""
        if self._declared is None:
            self._declared = parameters.declared(self, request)
        return self._declared

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Allow what a filter declares; Django allows every look-up of a local field."""
        return request is not None and lookup in self.declared_parameters(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible_rows(super().get_queryset(request), current_user(request))

    def get_field_queryset(
        self, db: str | None, db_field: RelatedField[Any, Any], request: HttpRequest
    ) -> QuerySet[Any] | None:
        rows = super().get_field_queryset(db, db_field, request)
        if rows is None:
            rows = db_field.remote_field.model._default_manager.all()
        return visible_rows(rows, current_user(request))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        if change:
            options["form"] = concurrent(options.get("form", self.form))
        return super().get_form(request, obj, change, **options)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Lock a row that is saved: its form compares with what a colleague saves just now."""
        from_field = from_field or None  # Django fails on the empty name of a field
        row = super().get_object(request, object_id, from_field)
        is_saved = request.method == "POST" and transaction.get_connection().in_atomic_block
        if row is None or not is_saved or not self.lock(row):
            return row
        return super().get_object(request, object_id, from_field)

    def lock(self, row: Any) -> bool:
        """Lock the row as its verb does; return whether it has to be read again."""
        return False

    # Django's own log of the admin site: the verbs write events instead.
    def construct_change_message(self, *args: Any, **options: Any) -> Any: ...

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any: ...

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any: ...

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any: ...


def lock_row(row: Model) -> bool:
    """Lock one row until the transaction ends; return True."""
    list(type(row)._base_manager.select_for_update(no_key=True).filter(pk=row.pk).values_list("pk"))
    return True
