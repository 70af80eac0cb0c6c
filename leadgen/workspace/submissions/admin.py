"""List of submissions: to review, failed (parked), waiting, and all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.current_user import current_user
from leadgen.capture import services
from leadgen.capture.models import Submission
from leadgen.capture.presentation import answers_of
from leadgen.capture.reasons import label_of
from leadgen.workspace.kit.bounded_admin import outcome
from leadgen.workspace.kit.filters import DayRange, ViewTabs
from leadgen.workspace.kit.html import BUTTON, DASH, ago, badge, clip, two_lines
from leadgen.workspace.kit.pagination import SEARCH_CAP, with_keys
from leadgen.workspace.kit.scoped_admin import ScopedAdmin
from leadgen.workspace.submissions import views
from leadgen.workspace.submissions.search import matching_keys

_State = Submission.State
_SENDER = ("name", "first_name", "last_name", "email", "phone")
_AGE_AND_FORM = (
    '<span class="ws-two"><span>{}</span><span class="ws-two__sub" title="{}">{}</span></span>'
)
_STATE_AND_ERROR = (
    '<span class="ws-two"><span>{}</span><span class="ws-two__sub" title="{}">{}</span></span>'
)
_TITLES = {
    "parked": _("Failed submissions"),
    "waiting": _("Waiting submissions"),
    "all": _("Submissions"),
}

_VERBS = {"release": _("Release"), "retry": _("Try again"), "hold": _("Hold")}


class SubmissionViews(ViewTabs):
    views: ClassVar = {
        "quarantine": (_("Review"), lambda rows, user: rows.quarantined()),
        "parked": (_("Failed"), lambda rows, user: rows.parked()),
        "waiting": (_("Waiting"), lambda rows, user: rows.waiting()),
        "all": (_("All"), lambda rows, user: rows),
    }


@admin.register(Submission)
class SubmissionAdmin(ScopedAdmin):
    list_display = ("sender", "why", "preview", "received", "decision")
    list_filter = (SubmissionViews, "form", ("received_at", DayRange))
    list_select_related = ("form", "version")
    list_before_template = "admin/view_tabs_bar.html"
    list_fullwidth = True
    search_fields = ("id",)
    search_help_text = _("Name, email, phone or reference")
    sortable_by = ()
    empty_hint = _("There is nothing to review.")
    actions = ("release_chosen", "retry_chosen")

    def get_list_display(self, request: HttpRequest) -> Any:
        """Leave out the column of decisions for readers who may not decide."""
        shown = super().get_list_display(request)
        return shown if self.has_change_permission(request) else shown[:-1]

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the order of the view's index."""
        is_parked = request.GET.get("view") == "parked"
        return ("-parked_at", "-id") if is_parked else ("-received_at", "-id")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = _TITLES.get(request.GET.get("view", ""), _("Review"))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Submission], search_term: str
    ) -> tuple[QuerySet[Submission], bool]:
        if not search_term.strip():
            return queryset, False
        keys = matching_keys(queryset, search_term, SEARCH_CAP)
        return with_keys(queryset, list(keys)), False

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(f"<uuid:pk>/{address}/", self.admin_site.admin_view(view), name=name)
            for address, name, view in views.ROUTES
        ]
        return own + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context = self.admin_site.each_context(request)
        return views.submission_page(request, object_id, context)

    @admin.display(description=_("From"))
    def sender(self, submission: Submission) -> str:
        sender = views.sender_of(submission)
        return two_lines(*[*sender, "", ""][:2]) if sender else gettext("Unknown person")

    @admin.display(description=_("Why"))
    def why(self, submission: Submission) -> str:
        if submission.parked_at:
            error = submission.last_error
            return format_html(_STATE_AND_ERROR, badge(gettext("Failed"), "bad"), error, error)
        if submission.state != _State.QUARANTINED:
            return badge(submission.get_state_display(), _tone(submission))
        return badge(", ".join(map(label_of, submission.reasons)), "warn")

    @admin.display(description=_("Answers"))
    def preview(self, submission: Submission) -> str:
        definition = submission.version.read()
        names = {field.name for field in definition.fields if field.fills not in _SENDER}
        texts = [
            answer.text
            for answer in answers_of(definition, submission.answers, only=names)
            if answer.text
        ]
        return clip(Truncator(" · ".join(texts)).chars(500)) if texts else DASH

    @admin.display(description=_("Received"))
    def received(self, submission: Submission) -> str:
        form = submission.form.title
        return format_html(_AGE_AND_FORM, ago(submission.received_at), form, form)

    @admin.display(description="")
    def decision(self, submission: Submission) -> str:
        verb = views.decision_on(submission)
        if not verb:
            return DASH
        address = reverse(f"admin:submission_{verb}", args=[submission.pk])
        return format_html(BUTTON, address, _VERBS[verb])

    @admin.action(description=_("Release"), permissions=["change"])
    def release_chosen(self, request: HttpRequest, queryset: QuerySet[Submission]) -> None:
        done, kept = gettext("released, on a lead in a moment"), gettext("not in review")
        self._decide(request, queryset, services.release_many, done=done, kept=kept)

    @admin.action(description=_("Try again"), permissions=["change"])
    def retry_chosen(self, request: HttpRequest, queryset: QuerySet[Submission]) -> None:
        self._decide(
            request,
            queryset,
            services.retry_many,
            done=gettext("tried again"),
            kept=gettext("not failed"),
        )

    def _decide(
        self,
        request: HttpRequest,
        queryset: QuerySet[Submission],
        verb: Callable[..., int],
        **words: str,
    ) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        changed = verb(chosen, actor=current_user(request))
        self.message_user(request, outcome(Submission, len(chosen), changed, **words))


def _tone(submission: Submission) -> str:
    return {_State.PROCESSED: "won", _State.ERASED: "lost"}.get(_State(submission.state), "neutral")
