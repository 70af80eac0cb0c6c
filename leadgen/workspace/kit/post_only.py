"""Decorator of views that change a row: POST only; a GET is redirected to the row's page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

View = Callable[..., HttpResponseBase]

_NOT_SAVED = _("Nothing was saved, because you had to log in first. Please do it again.")


def post_only(page: str) -> Callable[[View], View]:
    """Make a view POST only; ``page`` is the name of the page of the row ``pk``.

    The log-in sends people back to the address of their last request by GET: without the redirect
    they would read 405 where their session had ended while they were writing. The message says
    that the act was not done.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def decorated(request: HttpRequest, pk: Any, **more: Any) -> HttpResponseBase:
            if request.method == "POST":
                return view(request, pk, **more)
            if request.method in ("GET", "HEAD"):
                messages.warning(request, _NOT_SAVED)
                return redirect(page, pk)
            return HttpResponseNotAllowed(["POST"])

        return decorated

    return decorate
