"""Pages of forms: the draft with its fields, publishing, and published versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold import admin as unfold
from unfold.widgets import UnfoldAdminTextareaWidget

from leadgen.accounts.current_user import current_user
from leadgen.accounts.visibility import visible
from leadgen.forms import services
from leadgen.forms.models import Field, Form, FormVersion
from leadgen.forms.page import form_page
from leadgen.workspace.kit.bounded_admin import BoundedInline
from leadgen.workspace.kit.html import DASH, ago, badge, two_lines
from leadgen.workspace.kit.parameters import is_id
from leadgen.workspace.kit.scoped_admin import (
    ScopedAdmin,
    edited_values,
    lock_row,
    row_edits,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    _InlineFormSet = forms.BaseInlineFormSet[Any, Any, Any]
    StackedInline = admin.StackedInline[Any, Any]
    TabularInline = admin.TabularInline[Any, Any]

    def action(**options: Any) -> Callable[[Callable[..., Any]], Any]: ...
else:
    from unfold.decorators import action

    _InlineFormSet = forms.BaseInlineFormSet
    StackedInline, TabularInline = unfold.StackedInline, unfold.TabularInline


VERSIONS_SHOWN = 50
# The largest that the column of positions holds.
_LAST_POSITION = 2**31 - 1
_ANSWERS = '<a class="ws-link" href="{}?view=all&amp;form__id__exact={}">{}</a>'


class FieldInline(BoundedInline, StackedInline):
    """Inline of the draft's fields, ordered by dragging; a new field comes last."""

    model = Field
    extra = 0
    ordering_field = "position"
    collapsible = True
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("label", "kind"),
                    ("name", "fills"),
                    ("required", "help"),
                    ("placeholder", "default"),
                    ("options", "wording"),
                    ("minimum", "maximum", "max_length"),
                    "position",
                )
            },
        ),
    )

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "position":
            kwargs["widget"] = forms.HiddenInput
        if isinstance(db_field, models.TextField):
            kwargs["widget"] = UnfoldAdminTextareaWidget(attrs={"rows": 4})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_formset(self, request: HttpRequest, obj: Form | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        last = obj.fields.aggregate(last=models.Max("position"))["last"] if obj else None
        if "position" in formset.form.base_fields:
            following = 0 if last is None else min(last + 1, _LAST_POSITION)
            formset.form.base_fields["position"].initial = following
        return formset


class NewestFormSet(_InlineFormSet):
    """Formset of the newest versions: a form published daily has hundreds of versions a year."""

    def get_queryset(self) -> Any:
        if not hasattr(self, "_newest"):
            self._newest = list(super().get_queryset()[:VERSIONS_SHOWN])
        return self._newest


class VersionInline(TabularInline):
    """Inline of the published versions and their questions."""

    model = FormVersion
    formset = NewestFormSet
    verbose_name_plural = format_lazy(
        _("published versions (newest {count})"), count=VERSIONS_SHOWN
    )
    fields = readonly_fields = ("version", "published_at", "questions")
    can_delete = False
    extra = 0
    max_num = 0
    tab = True
    hide_title = True

    @admin.display(description=_("Version"))
    def version(self, version: FormVersion) -> SafeString | str:
        shown = version.form.published_id == version.pk
        return (
            badge(gettext("%(number)s, live") % {"number": version.number}, "open")
            if shown
            else str(version.number)
        )

    @admin.display(description=_("Questions"))
    def questions(self, version: FormVersion) -> str:
        # The page of an invalid post can have a row without a version; read() accepts its None.
        return ", ".join(field.label for field in version.read().fields)


@admin.register(Form)
class FormAdmin(ScopedAdmin):
    list_display = ("name", "state", "submissions", "changed")
    list_select_related = ("published",)
    list_filter = (("published", admin.EmptyFieldListFilter),)
    search_fields = ("title", "slug")
    search_help_text = _("Title or address")
    deletion_hint = _("Unpublish it instead: it is closed to visitors, and its answers stay.")
    empty_hint = _("Add a form, publish it, and share its address or put it on your website.")
    sortable_by = ()
    prepopulated_fields = {"slug": ("title",)}
    readonly_fields = ("state",)
    inlines = (FieldInline, VersionInline)
    actions_detail = ("open_page", "preview")
    actions_submit_line = ("save_and_publish", "save_and_unpublish")
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("state", ("title", "slug"), "intro", ("submit_label", "locale"))}),
        (
            _("After sending"),
            {"fields": (("thanks_title", "redirect_url"), "thanks_text"), "classes": ["tab"]},
        ),
        (_("Other websites"), {"fields": ("allowed_origins",), "classes": ["tab"]}),
    )

    def lock(self, row: Form) -> bool:
        return lock_row(row)

    def save_model(self, request: HttpRequest, obj: Form, form: Any, change: bool) -> None:
        """Save nothing: save_related writes the form and its fields with one verb."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        actor, fields = current_user(request), row_edits(formsets[0])
        if change:
            services.update_form(form.instance, edited_values(form), fields, actor=actor)
        else:
            services.add_form(form.instance, fields.added, actor=actor)
        self._act(request, form.instance)

    def _act(self, request: HttpRequest, form: Form) -> None:
        """Publish or unpublish; Unfold calls the buttons in save_model, before the fields exist."""
        buttons: Any = self.get_actions_submit_line(request, form.pk)  # type: ignore[attr-defined]
        for button in buttons:
            if button.action_name in request.POST:
                button.method(request, form)

    def delete_model(self, request: HttpRequest, obj: Form) -> None:
        services.delete_form(obj, actor=current_user(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Form]:
        return super().get_queryset(request).prefetch_related("fields")

    @admin.display(description=_("Form"))
    def name(self, form: Form) -> str:
        return two_lines(form.title, f"/f/{form.slug}")

    @admin.display(description=_("State"))
    def state(self, form: Form) -> str:
        if form.published is None:
            return badge(gettext("Not published"))
        if not form.published.reading().is_whole:
            return badge(
                gettext("Version %(number)s is of a newer release")
                % {"number": form.published.number},
                "warn",
            )
        if form.differs:
            return badge(gettext("Unpublished changes"), "warn")
        return badge(gettext("Live: version %(number)s") % {"number": form.published.number}, "won")

    @admin.display(description=_("Submissions"))
    def submissions(self, form: Form) -> str:
        address = reverse("admin:capture_submission_changelist")
        return format_html(_ANSWERS, address, form.pk, gettext("See answers"))

    @admin.display(description=_("Changed"))
    def changed(self, form: Form) -> str:
        return ago(form.updated_at) if form.updated_at else DASH

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if isinstance(db_field, models.TextField):
            kwargs["widget"] = UnfoldAdminTextareaWidget(attrs={"rows": 3})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Form | None) -> Any:
        return self.inlines if obj else self.inlines[:1]

    def has_open_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Allow opening and unpublishing for live forms only; open_page itself says why not."""
        match = request.resolver_match
        if match and match.url_name == "forms_form_open_page":
            return True
        live_forms = visible(Form, current_user(request)).filter(published__isnull=False)
        if object_id is None:
            return True
        return is_id(str(object_id)) and live_forms.filter(pk=object_id).exists()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        # Submissions refer to their version: a form with versions is never deleted.
        form = context.get("original")
        context["show_delete"] = form is None or not form.versions.exists()
        return super().render_change_form(request, context, *args, **kwargs)

    def response_post_save_change(self, request: HttpRequest, obj: Form) -> HttpResponseRedirect:
        """Stay on the page after publishing, where the new state is shown."""
        if "_save" in request.POST:
            return super().response_post_save_change(request, obj)
        return HttpResponseRedirect(request.path)

    def _find(self, request: HttpRequest, object_id: int | str) -> Form:
        form: Form | None = self.get_object(request, str(object_id))
        if form is None:
            raise Http404("No such form.")
        return form

    @action(description=_("Open page"), url_path="open", icon="open_in_new", permissions=["open"])
    def open_page(self, request: HttpRequest, object_id: int) -> HttpResponse:
        form = self._find(request, object_id)
        if form.published_id is None:  # a colleague unpublished it since the button was shown
            messages.warning(request, gettext("This form is not published, so it has no page."))
            return HttpResponseRedirect(reverse("admin:forms_form_change", args=[form.pk]))
        return HttpResponseRedirect(f"/f/{form.slug}")

    @action(
        description=_("Preview draft"),
        icon="visibility",
        permissions=["view"],
        attrs={"target": "_blank"},
    )
    def preview(self, request: HttpRequest, object_id: int) -> HttpResponse:
        form = self._find(request, object_id)
        # Read only: the policy blocks sending the form.
        policy = "default-src 'none'; style-src 'self'; img-src data:; form-action 'none'"
        page = form_page(form.draft())
        return HttpResponse(page, headers={"Content-Security-Policy": policy})

    @action(description=_("Save and publish"), permissions=["change"])
    def save_and_publish(self, request: HttpRequest, form: Form) -> None:
        _publish(request, form)

    @action(description=_("Unpublish"), permissions=["change", "open"])
    def save_and_unpublish(self, request: HttpRequest, form: Form) -> None:
        services.unpublish(form, actor=current_user(request))
        messages.success(request, gettext("The form is closed to visitors. Its answers stay."))


def _publish(request: HttpRequest, form: Form) -> None:
    try:
        version = services.publish(form, actor=current_user(request))
    except ValidationError as error:
        for message in error.messages:
            text = gettext("Saved, but not published. %(problem)s")
            messages.error(request, text % {"problem": message})
    else:
        text = gettext("Version %(number)s is live at %(address)s.")
        details = {"number": version.number, "address": f"/f/{form.slug}"}
        messages.success(request, text % details)
