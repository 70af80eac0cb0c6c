"""Page of a lead, and the verbs on it: move, assign, add notes and tasks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.contrib.admin import site
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.current_user import current_user
from leadgen.accounts.models import User
from leadgen.accounts.visibility import visible, visible_rows
from leadgen.leads import services
from leadgen.leads.history import undo
from leadgen.leads.models import Lead, Stage
from leadgen.leads.ownership.lead_owners import require_working
from leadgen.leads.visibility import owners_for
from leadgen.lib.dates import check_moment
from leadgen.workspace.kit.post_only import View, post_only
from leadgen.workspace.kit.scoped_admin import is_id
from leadgen.workspace.leads import page

# A message with an undo button: the text, the address, the CSRF token, and one field.
_UNDO = (
    '{} <form method="post" action="{}" class="ws-undo">'
    '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
    '<input type="hidden" name="{}" value="{}"><button>{}</button></form>'
)

_SALT = "leadgen.undo-assign"
_UNDO_SECONDS = 60


class NoteForm(forms.Form):
    body = forms.CharField(required=False)


class TaskForm(forms.Form):
    title = forms.CharField(max_length=services.TITLE_MAX_LENGTH)
    due_at = forms.DateTimeField(label=_("Due"), required=False, validators=[check_moment])
    owner = forms.IntegerField(required=False)


def lead_page(request: HttpRequest, pk: str, context: dict[str, Any]) -> HttpResponse:
    """Show a lead; 404 for one that the person may not see."""
    if not current_user(request).has_perm("leads.view_lead"):
        raise PermissionDenied
    return _show(request, _find(request, pk), context)


def _acts(act: Callable[..., str]) -> View:
    """Make a view of a verb: POST only, for users who may change leads, on a visible lead.

    A GET, such as after a log-in in between, leads to the lead. The page shows the messages of a
    ValidationError beside the typed values, with status 422.
    """

    @post_only("admin:leads_lead_change")
    @wraps(act)
    def view(request: HttpRequest, pk: int, **more: int) -> HttpResponse:
        if not current_user(request).has_perm("leads.change_lead"):
            raise PermissionDenied
        lead = _find(request, pk)
        try:
            messages.success(request, act(request, lead, **more))
        except ValidationError as error:
            site_context = site.each_context(request)
            return _show(request, _find(request, pk), site_context, refused=error.messages)
        return redirect(_after(request, pk))

    return view


@_acts
def move(request: HttpRequest, lead: Lead) -> str:
    stages = visible(Stage, current_user(request)).filter(pipeline=lead.pipeline_id)
    stage = get_object_or_404(stages, pk=_number(request, "stage"))
    # A page from before a win must not reopen the lead: a closed one moves only if it was seen so.
    seen = _number(request, "seen") or (None if lead.is_open else 0)
    event = services.move(lead, stage, actor=current_user(request), seen=seen)
    return _undoable(request, gettext("Moved to %(stage)s.") % {"stage": stage.name}, lead, event)


@_acts
def assign(request: HttpRequest, lead: Lead) -> str:
    user, seen = current_user(request), _number(request, "seen")
    owner = _chosen_owner(request, lead)
    event = services.assign(lead, owner, actor=user, seen=seen)
    message = gettext("This lead has no owner now.")
    if owner:
        message = gettext("Assigned to %(name)s.") % {"name": owner.name}
    if event is None or visible(Lead, user).filter(pk=lead.pk).exists():
        return _undoable(request, message, lead, event)
    message += " " + gettext("You do not see this lead any more.")
    token = signing.dumps([user.pk, lead.pk, event], salt=_SALT)
    return _with_undo(request, message, "lead_assign_undo", lead, token=token)


@post_only("admin:leads_lead_change")
def undo_assign(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo the assignment of a lead that its former owner does not see any more.

    The signed token is the permission: of this person, for this act, for _UNDO_SECONDS.
    """
    user = current_user(request)
    try:
        token = signing.loads(request.POST.get("token", ""), salt=_SALT, max_age=_UNDO_SECONDS)
    except signing.BadSignature:
        token = None
    if not user.has_perm("leads.change_lead") or not token or token[:2] != [user.pk, pk]:
        raise Http404("No such undo.")
    try:
        messages.success(request, undo.undo_unseen(pk, token[2], actor=user))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect(_after(request, pk))


def _chosen_owner(request: HttpRequest, lead: Lead) -> User | None:
    """Return the chosen person; a message, not 404, for one who left since the page was shown."""
    chosen = _number(request, "owner")
    if not chosen or chosen == lead.owner_id:
        return lead.owner if chosen else None
    user = current_user(request)
    require_working(visible_rows(User.objects.not_working(), user).filter(pk=chosen).first())
    return get_object_or_404(owners_for(user), pk=chosen)


@_acts
def add_note(request: HttpRequest, lead: Lead) -> str:
    data = _clean(NoteForm(request.POST))
    services.add_note(lead, data["body"], actor=current_user(request))
    return gettext("Note added.")


@_acts
def add_task(request: HttpRequest, lead: Lead) -> str:
    data = _clean(TaskForm(request.POST))
    owners = owners_for(current_user(request))
    owner = get_object_or_404(owners, pk=data["owner"]) if data["owner"] else None
    services.add_task(
        lead, data["title"], due_at=data["due_at"], owner=owner, actor=current_user(request)
    )
    return gettext("Task added.")


@_acts
def complete_task(request: HttpRequest, lead: Lead, task: int) -> str:
    done = get_object_or_404(lead.tasks, pk=task)
    event = services.complete_task(done, actor=current_user(request))
    return _undoable(request, gettext("Task done."), lead, event)


@_acts
def reopen_task(request: HttpRequest, lead: Lead, task: int) -> str:
    services.reopen_task(get_object_or_404(lead.tasks, pk=task), actor=current_user(request))
    return gettext("Task reopened.")


@_acts
def undo_act(request: HttpRequest, lead: Lead) -> str:
    return undo.undo(lead, _number(request, "event") or 0, actor=current_user(request))


def _undoable(request: HttpRequest, message: str, lead: Lead, event: int | None) -> str:
    """Return the message, with an undo button that names the event of the act."""
    if event is None:
        return message
    return _with_undo(request, message, "lead_undo", lead, event=event)


def _with_undo(
    request: HttpRequest, message: str, route: str, lead: Lead, **sent: int | str
) -> str:
    """Return the message, with a button that posts one field to the lead's route."""
    ((name, value),) = sent.items()
    address = reverse(f"admin:{route}", args=[lead.pk])
    return format_html(_UNDO, message, address, get_token(request), name, value, gettext("Undo"))


def _after(request: HttpRequest, pk: int) -> str:
    """Return the task list if the request came from it, else the lead if visible, else the list."""
    referer = urlsplit(request.headers.get("Referer", ""))
    tasks = reverse("admin:leads_task_changelist")
    if referer.path == tasks:
        return f"{tasks}?{referer.query}"
    if visible(Lead, current_user(request)).filter(pk=pk).exists():
        return reverse("admin:leads_lead_change", args=[pk])
    return reverse("admin:leads_lead_changelist")


def _find(request: HttpRequest, pk: int | str) -> Lead:
    lead = page.find(current_user(request), pk) if is_id(str(pk)) else None
    if lead is None:
        raise Http404("No such lead.")
    return lead


def _show(
    request: HttpRequest, lead: Lead, outer: dict[str, Any], refused: list[str] | None = None
) -> HttpResponse:
    context = {
        **outer,
        "title": str(lead),
        "opts": Lead._meta,
        "original": lead,
        "refused": refused or [],
        "typed": request.POST,
        **page.gather(lead, current_user(request), before=_before(request)),
    }
    return render(request, "admin/lead.html", context, status=422 if refused else 200)


def _clean(form: forms.Form) -> dict[str, Any]:
    if not form.is_valid():
        labels = {name: str(form[name].label) for name in form.errors}
        texts = [f"{labels[name]}: {error}" for name in labels for error in form.errors[name]]
        raise ValidationError(texts)
    return form.cleaned_data


def _number(request: HttpRequest, name: str) -> int | None:
    """Return a row's id from the form, None for an empty text; raise Http404 for any other."""
    text = request.POST.get(name, "")
    if not text:
        return None
    if not is_id(text):
        raise Http404(f"No such {name}.")
    return int(text)


def _before(request: HttpRequest) -> int | None:
    text = request.GET.get("before", "")
    return int(text) if is_id(text) else None


ROUTES: list[tuple[str, str, View]] = [
    ("move", "lead_move", move),
    ("assign", "lead_assign", assign),
    ("assign/undo", "lead_assign_undo", undo_assign),
    ("note", "lead_note", add_note),
    ("task", "lead_task", add_task),
    ("task/<int:task>/done", "lead_task_done", complete_task),
    ("task/<int:task>/reopen", "lead_task_reopen", reopen_task),
    ("undo", "lead_undo", undo_act),
]
