"""Views of the admin site that search: fields with choices; the search of pages is off."""

from __future__ import annotations

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

_choices = admin.site.autocomplete_view


def no_search(request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
    """Answer 404: the workspace does not offer the search of pages (``show_search``).

    It writes every text that is searched for into the cache, where the limits of a password reset
    would make room for them.
    """
    raise Http404("The search of pages is off.")


def choices(request: HttpRequest) -> HttpResponse:
    """Answer a field that searches its choices; PostgreSQL cannot compare a text with NUL."""
    if "\0" in request.GET.get("term", ""):
        return JsonResponse({"results": [], "pagination": {"more": False}})
    return _choices(request)
