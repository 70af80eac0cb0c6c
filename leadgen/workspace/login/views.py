"""Pages of log-in and password reset: allauth's views, in Leadgen's templates."""

from typing import Any
from urllib.parse import urlencode

from allauth.account import views
from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from leadgen.workspace.login import refusals
from leadgen.workspace.login.forms import OwnPasswordForm


class _OutageMixin:
    """Answer 503 where the database or the cache is unavailable."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        except Exception as error:
            if dependency := refusals.missing_dependency(error):
                return refusals.unavailable(request, dependency)
            raise
        return response


class LoginView(_OutageMixin, views.LoginView):  # type: ignore[misc]  # allauth has no types
    """Log-in page; the first invalid field has the focus."""

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        form = self.get_form()
        known = bool(form.errors) and not form["login"].errors
        focus = {"focus_login": not known, "focus_password": known}
        details: dict[str, Any] = super().get_context_data(**context) | focus
        return details


class PasswordResetView(_OutageMixin, views.PasswordResetView):  # type: ignore[misc]
    pass


class PasswordResetDoneView(views.PasswordResetDoneView):  # type: ignore[misc]
    pass


class PasswordResetFromKeyView(_OutageMixin, views.PasswordResetFromKeyView):  # type: ignore[misc]
    pass


class PasswordResetFromKeyDoneView(views.PasswordResetFromKeyDoneView):  # type: ignore[misc]
    pass


@csrf_exempt  # it changes nothing, and reads no password
def to_login(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """Redirect GET and POST of Django's log-in to ours, with the ``next`` address."""
    next_url = request.POST.get("next") or request.GET.get("next") or ""
    query = f"?{urlencode({'next': next_url})}" if next_url else ""
    # 303 turns a POST into a GET: the password is not sent on.
    return HttpResponseRedirect(reverse("account_login") + query, status=303)


def change_own_password(request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
    """Show the admin site's page for one's own password, with a form that counts failures."""
    site = admin.site
    request.current_app = site.name
    view = PasswordChangeView.as_view(
        form_class=OwnPasswordForm,
        success_url=reverse("admin:password_change_done"),
        template_name=site.password_change_template or "registration/password_change_form.html",
        extra_context={**site.each_context(request), **(extra_context or {})},
    )
    return view(request)
