"""The ledger for people: what is held and why, what could not be worked, and all the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import Truncator

from leadgen.accounts.current_user import current_user
from leadgen.capture import services
from leadgen.capture.models import Submission
from leadgen.capture.presentation import answers_of
from leadgen.capture.reasons import label_of
from leadgen.workspace.kit.bounded_admin import outcome
from leadgen.workspace.kit.filters import DayRange, ViewTabs
from leadgen.workspace.kit.html import BUTTON, DASH, ago, badge, clip, two_lines
from leadgen.workspace.kit.scoped_admin import ScopedAdmin
from leadgen.workspace.submissions import views

_State = Submission.State
_SENDER = ("name", "first_name", "last_name", "email", "phone")
_AGE_AND_FORM = (
    '<span class="ws-two"><span>{}</span><span class="ws-two__sub" title="{}">{}</span></span>'
)
_STATE_AND_ERROR = (
    '<span class="ws-two"><span>{}</span><span class="ws-two__sub" title="{}">{}</span></span>'
)
_TITLES = {"parked": "Parked submissions", "waiting": "Waiting submissions", "all": "Submissions"}
_ORDER = {"quarantine": ("-received_at", "-id"), "parked": ("-parked_at", "-id")}


class SubmissionViews(ViewTabs):
    views: ClassVar = {
        "quarantine": ("Quarantine", lambda rows, user: rows.quarantined()),
        "parked": ("Parked", lambda rows, user: rows.parked()),
        "waiting": ("Waiting", lambda rows, user: rows.waiting()),
        "all": ("All", lambda rows, user: rows),
    }


@admin.register(Submission)
class SubmissionAdmin(ScopedAdmin):
    list_display = ("sender", "why", "preview", "received", "decision")
    list_filter = (SubmissionViews, "form", ("received_at", DayRange))
    list_select_related = ("form", "version")
    list_before_template = "admin/view_tabs_bar.html"
    list_fullwidth = True
    search_fields = ("id",)
    search_help_text = "Receipt, in full"
    sortable_by = ()
    empty_hint = "Nothing waits for a decision. That is how it should be."
    actions = ("release_chosen", "retry_chosen")

    def get_list_display(self, request: HttpRequest) -> Any:
        """The column of decisions is for those who may decide."""
        shown = super().get_list_display(request)
        return shown if self.has_change_permission(request) else shown[:-1]

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Follow the index of each view; receipts are in the order of time (UUIDv7)."""
        return _ORDER.get(request.GET.get("view", "quarantine"), ("-id",))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = _TITLES.get(request.GET.get("view", ""), "Quarantine")
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Submission], search_term: str
    ) -> tuple[QuerySet[Submission], bool]:
        receipt = views.receipt_in(search_term)
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk=receipt) if receipt else queryset.none(), False

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

    @admin.display(description="From")
    def sender(self, submission: Submission) -> str:
        known = views.sender_of(submission)
        return two_lines(*[*known, "", ""][:2]) if known else "Unknown person"

    @admin.display(description="Why")
    def why(self, submission: Submission) -> str:
        if submission.parked_at:
            error = submission.last_error
            return format_html(_STATE_AND_ERROR, badge("Parked", "bad"), error, error)
        if submission.state != _State.QUARANTINED:
            return badge(submission.get_state_display(), _tone(submission))
        return badge(", ".join(map(label_of, submission.reasons)), "warn")

    @admin.display(description="Answers")
    def preview(self, submission: Submission) -> str:
        definition = submission.version.read()
        said = {field.name for field in definition.fields if field.fills not in _SENDER}
        texts = [
            answer.text
            for answer in answers_of(definition, submission.answers, only=said)
            if answer.text
        ]
        return clip(Truncator(" · ".join(texts)).chars(500)) if texts else DASH

    @admin.display(description="Received")
    def received(self, submission: Submission) -> str:
        form = submission.form.title
        return format_html(_AGE_AND_FORM, ago(submission.received_at), form, form)

    @admin.display(description="")
    def decision(self, submission: Submission) -> str:
        verb = views.decision_on(submission)
        if not verb:
            return DASH
        address = reverse(f"admin:submission_{verb}", args=[submission.pk])
        return format_html(BUTTON, address, verb.capitalize())

    @admin.action(description="Release from quarantine", permissions=["change"])
    def release_chosen(self, request: HttpRequest, queryset: QuerySet[Submission]) -> None:
        done, kept = "released, on a lead in a moment", "not in quarantine"
        self._decide(request, queryset, services.release_many, done=done, kept=kept)

    @admin.action(description="Try again", permissions=["change"])
    def retry_chosen(self, request: HttpRequest, queryset: QuerySet[Submission]) -> None:
        self._decide(request, queryset, services.retry_many, done="tried again", kept="not parked")

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
