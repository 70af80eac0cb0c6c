"""Page of a submission, and the decisions on it: release, retry, hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.current_user import current_user
from leadgen.accounts.models import User
from leadgen.accounts.visibility import visible
from leadgen.capture import services
from leadgen.capture.models import PENDING_STATES, Submission
from leadgen.capture.presentation import answers_of, consents_of, device_of, origin_of
from leadgen.capture.reasons import label_of
from leadgen.leads.intake import matching
from leadgen.leads.models import Lead
from leadgen.workspace.kit.post_only import View, post_only

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_State = Submission.State
_WAITING = _("Nothing was changed: it waits already and is added to a lead in a moment.")
_UNCHANGED = {
    _State.RECEIVED: _WAITING,
    _State.ACCEPTED: _WAITING,
    _State.QUARANTINED: _("Nothing was changed: it is held for review already."),
    _State.PROCESSED: _("Nothing was changed: it is on a lead already."),
    _State.ERASED: _("Nothing was changed: its data was erased."),
}


def receipt_in(text: str) -> UUID | None:
    """Parse a receipt (UUID); return None for any other text."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def sender_of(submission: Submission) -> list[str]:
    """Return the sender's name, email and phone, without those that are missing."""
    facts = matching.read(submission.version.read(), submission.answers)
    return [text for text in (facts.name, facts.email, facts.phone) if text]


def decision_on(submission: Submission) -> str:
    """Return the decision that is possible now: release, retry, hold, or an empty text."""
    if submission.state == _State.QUARANTINED:
        return "release"
    if submission.parked_at:
        return "retry"
    return "hold" if submission.state in PENDING_STATES else ""


def submission_page(request: HttpRequest, pk: str, site: dict[str, Any]) -> HttpResponse:
    """Show one submission: answers, reasons, origin and history; 404 when not visible."""
    user = current_user(request)
    if not user.has_perm("capture.view_submission"):
        raise PermissionDenied
    submission = _find(user, receipt_in(pk))
    context = {
        **site,
        "title": gettext("Submission"),
        "crumb": (sender_of(submission) or [gettext("Unknown person")])[0],
        "opts": Submission._meta,
        "submission": submission,
        "answers": answers_of(submission.version.read(), submission.answers),
        "consents": consents_of(submission.consents),
        "raw": json.dumps(submission.raw, indent=2, ensure_ascii=False),
        "reasons": list(map(label_of, submission.reasons)),
        "origin": origin_of(submission.context) + device_of(submission.context),
        "first_touch": origin_of(submission.context.get("first_touch") or {}),
        "events": submission.history()[:50],
        "decision": decision_on(submission) if _may_decide(user) else "",
        "lead": _lead_of(submission, user),
    }
    return render(request, "admin/submission.html", context)


def _decide(verb: Callable[..., bool], message: StrOrPromise) -> View:
    @post_only("admin:capture_submission_change")
    def view(request: HttpRequest, pk: UUID) -> HttpResponse:
        user = current_user(request)
        if not _may_decide(user):
            raise PermissionDenied
        submission = _find(user, pk)
        if verb(submission, actor=user):
            messages.success(request, message)
        else:
            messages.info(request, _unchanged(submission, user))
        return redirect(_back(request))

    return view


def _unchanged(submission: Submission, user: User) -> StrOrPromise:
    """Return where the submission is: it went on while the page of the decision was open."""
    if lead := _lead_of(submission, user):
        address = reverse("admin:leads_lead_change", args=[lead.pk])
        text = gettext("Nothing was changed: it is on a lead already, {lead}.")
        link = format_html('<a class="ws-link" href="{}">{}</a>', address, lead)
        return format_html(text, lead=link)
    if submission.parked_at:
        return gettext("Nothing was changed: it failed and waits for “Try again”.")
    return _UNCHANGED[_State(submission.state)]


def _find(user: User, pk: UUID | None) -> Submission:
    rows = visible(Submission, user).select_related("form", "version")
    submission = rows.filter(pk=pk).first() if pk else None
    if submission is None:
        raise Http404("No such submission.")
    return submission


def _may_decide(user: User) -> bool:
    return user.has_perm("capture.change_submission")


def _lead_of(submission: Submission, user: User) -> Lead | None:
    return visible(Lead, user).filter(links__submission=submission).first()


def _back(request: HttpRequest) -> str:
    referer = request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(referer, {request.get_host()})
    return referer if safe else "admin:capture_submission_changelist"


ROUTES: list[tuple[str, str, View]] = [
    (
        "release",
        "submission_release",
        _decide(services.release, _("Released: it is added to a lead in a moment.")),
    ),
    ("retry", "submission_retry", _decide(services.retry, _("The submission is processed again."))),
    ("hold", "submission_hold", _decide(services.hold, _("Held for review."))),
]
