"""Admin mixins whose delete pages, inline rows and bulk acts touch a limited number of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Model, ProtectedError, QuerySet, RestrictedError
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from leadgen.lib import deletion, row_limit

if TYPE_CHECKING:
    from django.contrib import admin

    _ModelAdmin = admin.ModelAdmin[Any]
    _Inline = admin.TabularInline[Any, Any]
else:
    _ModelAdmin = _Inline = object

_FOREIGN_KEY_VIOLATION = "23503"
_CONFLICT = "Other records came to need this in the meantime. Nothing was changed; look again."


class _RowGoneError(Exception):
    """A colleague has deleted the row between the question and the answer."""


def outcome(model: type[Model], chosen: int, changed: int, *, done: str, kept: str) -> str:
    """Word what a bulk act did: ``2 leads assigned to you. 1 stayed as it was: already yours.``"""
    text = row_limit.sentence(f"{row_limit.in_words(changed, model)} {done}.")
    if unchanged := chosen - changed:
        were = "it was" if unchanged == 1 else "they were"
        text += f" {unchanged:,} stayed as {were}: {kept}."
    return text


class BoundedAdmin(_ModelAdmin):
    """Counts before it deletes or acts, and refuses what concerns more than ``MAX_ROWS`` rows."""

    deletion_hint = ""

    @property
    def max_rows(self) -> int:
        """The largest selection for a bulk act; the bar above a list reads it."""
        return row_limit.MAX_ROWS

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[Any], list[Any]]:
        """Return the consequences, no counts, missing permissions and refusals of a deletion."""
        row = objs[0]
        if request.method == "POST":
            self._lock(row)
        planned = deletion.plan(row)
        refused = planned.refusals
        consequences = [] if refused else planned.consequences
        return consequences, {}, self._forbidden(planned, request), refused

    def _lock(self, row: Model) -> None:
        # Two people at once: the second one is told that the row is gone, not that both deleted it.
        rows = type(row)._base_manager.select_for_update().filter(pk=row.pk)
        if not rows.values_list("pk").first():
            raise _RowGoneError

    def _forbidden(self, planned: deletion.DeletionPlan, request: HttpRequest) -> set[Any]:
        admins = {model: self.admin_site._registry.get(model) for model in planned.deleted_models}
        return {
            f"no permission to delete {model._meta.verbose_name_plural}"
            for model, its_admin in admins.items()
            if its_admin and not its_admin.has_delete_permission(request)
        }

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        extra_context = {"deletion_hint": self.deletion_hint, **(extra_context or {})}
        try:
            return super().delete_view(request, object_id, extra_context)
        except _RowGoneError:
            messages.warning(request, f"This {self.opts.verbose_name} was deleted in the meantime.")
            address = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
            return HttpResponseRedirect(reverse(address))
        except (IntegrityError, ProtectedError, RestrictedError) as error:
            return self._conflict(request, error)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except (IntegrityError, ProtectedError, RestrictedError) as error:
            return self._conflict(request, error)

    def _conflict(self, request: HttpRequest, error: Exception) -> HttpResponse:
        """Tell of a row that came to need the deleted one after the count; raise other errors."""
        if type(error) is IntegrityError:
            code = getattr(error.__cause__, "sqlstate", "")
            if code != _FOREIGN_KEY_VIOLATION:
                raise error
        messages.error(request, _CONFLICT)
        return HttpResponseRedirect(request.get_full_path())

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *where: Any, **options: Any
    ) -> Any:
        """Refuse an act on a whole list of more than ``MAX_ROWS`` rows before anything changes."""
        if request.POST.get("select_across") == "1":
            chosen = list(queryset.values_list("pk", flat=True)[: row_limit.MAX_ROWS + 1])
            if len(chosen) > row_limit.MAX_ROWS:
                messages.error(request, self._too_many())
                return HttpResponseRedirect(request.get_full_path())
            queryset = queryset.filter(pk__in=chosen)
        return super().response_action(request, queryset, *where, **options)

    def _too_many(self) -> str:
        matched = row_limit.sentence(row_limit.in_words(row_limit.MAX_ROWS + 1, self.model))
        return (
            f"{matched} match, and one act changes at most {row_limit.MAX_ROWS:,}. Nothing was "
            "changed. Narrow the list with its filters, then select all of it again."
        )


class BoundedInline(_Inline):
    """Refuses the removal of a row by a capped count, where Django loads everything related."""

    deletion_hint = ""

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset: Any = super().get_formset(request, obj, **kwargs)
        hint = self.deletion_hint

        class CountedDeletionForm(formset.form):  # type: ignore[misc]
            def hand_clean_DELETE(self) -> None:  # noqa: N802 - Django's name
                removed = self.cleaned_data.get(DELETION_FIELD_NAME)
                if removed and not self.instance._state.adding:
                    refuse_removal(self.instance, hint)

        formset.form = CountedDeletionForm
        return formset


def refuse_removal(row: Model, hint: str) -> None:
    """Raise ValidationError where the deletion of an inline row is refused."""
    if refusals := deletion.plan(row).refusals:
        raise ValidationError(f"“{row}” cannot be removed. {' '.join([*refusals, hint])}".strip())
