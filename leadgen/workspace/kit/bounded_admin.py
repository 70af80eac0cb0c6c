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
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from leadgen.lib import deletion, row_limit
from leadgen.workspace.kit.concurrent_edits import ConcurrentEditForm, ConcurrentEditFormSet

if TYPE_CHECKING:
    from django.contrib import admin
    from django_stubs_ext import StrOrPromise

    _ModelAdmin = admin.ModelAdmin[Any]
    _Inline = admin.TabularInline[Any, Any]
else:
    _ModelAdmin = _Inline = object

_FOREIGN_KEY_VIOLATION = "23503"
_CONFLICT = _(
    "Another record began to need this one in the meantime. Nothing was changed; look again."
)


class _RowGoneError(Exception):
    """Another person deleted the row between the confirmation page and its submission."""


def outcome(model: type[Model], chosen: int, changed: int, *, done: str, kept: str) -> str:
    """Return the message of a bulk act.

    For example ``2 leads assigned to you. 1 stayed as it was: already yours.``
    """
    details = {"rows": row_limit.in_words(changed, model), "done": done}
    text = row_limit.sentence(gettext("%(rows)s %(done)s.") % details)
    if unchanged := chosen - changed:
        template = ngettext(
            "%(count)s stayed as it was: %(reason)s.",
            "%(count)s stayed as they were: %(reason)s.",
            unchanged,
        )
        text += " " + template % {"count": f"{unchanged:,}", "reason": kept}
    return text


class BoundedAdmin(_ModelAdmin):
    """Admin whose deletions and bulk acts count first and refuse more than ``MAX_ROWS`` rows."""

    deletion_hint: StrOrPromise = ""

    @property
    def max_rows(self) -> int:
        """Return the largest selection for a bulk act, for the bar above a list."""
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
        # The lock serialises two deletions: the second one finds that the row is gone.
        rows = type(row)._base_manager.select_for_update().filter(pk=row.pk)
        if not rows.values_list("pk").first():
            raise _RowGoneError

    def _forbidden(self, planned: deletion.DeletionPlan, request: HttpRequest) -> set[Any]:
        admins = {model: self.admin_site._registry.get(model) for model in planned.deleted_models}
        return {
            gettext("no permission to delete %(rows)s") % {"rows": model._meta.verbose_name_plural}
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
            text = gettext("This %(row)s was deleted in the meantime.")
            messages.warning(request, text % {"row": self.opts.verbose_name})
            address = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
            return HttpResponseRedirect(reverse(address))
        except (IntegrityError, ProtectedError, RestrictedError) as error:
            return self._conflict(request, error)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ValidationError as error:
            # A verb refused what the form accepted: another request came first.
            for text in error.messages:
                messages.error(request, text)
            return HttpResponseRedirect(request.get_full_path())
        except (IntegrityError, ProtectedError, RestrictedError) as error:
            return self._conflict(request, error)

    def _conflict(self, request: HttpRequest, error: Exception) -> HttpResponse:
        """Report a row that began to need the deleted one after the count; raise other errors."""
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
        text = gettext(
            "%(matched)s match, and one act changes at most %(limit)s. Nothing was changed. "
            "Narrow the list with its filters, then select all of it again."
        )
        return text % {"matched": matched, "limit": f"{row_limit.MAX_ROWS:,}"}


class BoundedInline(_Inline):
    """Inline that checks a removal by capped counts; Django would load every related row."""

    deletion_hint: StrOrPromise = ""

    form = ConcurrentEditForm
    formset = ConcurrentEditFormSet

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


def refuse_removal(row: Model, hint: StrOrPromise) -> None:
    """Raise ValidationError where the deletion of an inline row is refused."""
    if refusals := deletion.plan(row).refusals:
        text = gettext("“%(row)s” cannot be removed. %(reasons)s")
        reasons = " ".join([*refusals, str(hint)])
        raise ValidationError((text % {"row": row, "reasons": reasons}).strip())
