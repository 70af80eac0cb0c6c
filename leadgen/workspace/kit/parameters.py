"""Query parameters of list pages: only those that a list filter declares reach the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import FieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import ERROR_FLAG, IGNORED_PARAMS, PAGE_VAR
from django.core.exceptions import ValidationError
from django.core.paginator import InvalidPage
from django.db import DataError
from django.db.models import Field, IntegerField
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext

# Raised by filters and by PostgreSQL for values that they cannot use.
UNUSABLE = (IncorrectLookupParameters, ValidationError, ValueError, OverflowError, DataError)

_OF_THE_PAGE = {*IGNORED_PARAMS, PAGE_VAR, ERROR_FLAG}
_SHOWN = 3


def declared(admin: Any, request: HttpRequest) -> frozenset[str]:
    """Return the parameters that the filters of a list take."""
    filters = admin.get_list_filter(request)
    return frozenset(name for each in filters for name in _expected(admin, request, each))


def drop_undeclared(admin: Any, request: HttpRequest) -> None:
    """Remove the parameters that no filter declares, or that hold NUL, and name them in a message.

    PostgreSQL cannot compare a text that holds NUL.
    """
    known = admin.declared_parameters(request) | _OF_THE_PAGE
    wrong = [
        name
        for name, values in request.GET.lists()
        if name not in known or any("\0" in value for value in values)
    ]
    if wrong:
        _drop(request, wrong)
        _report(request, wrong)


def drop_unusable(admin: Any, request: HttpRequest, error: Exception) -> None:
    """Remove the parameter that made a list fail: a page number out of range, or all filters."""
    if isinstance(error.__context__, InvalidPage):
        _drop(request, [PAGE_VAR])
        messages.warning(request, gettext("There is no such page. This is the first one."))
        return
    used = [name for name in request.GET if name in admin.declared_parameters(request)]
    _drop(request, [*used, PAGE_VAR])
    _report(request, used)


def is_id(text: str) -> bool:
    """Tell whether a text from a URL or a form can be a row's number."""
    return text.isascii() and text.isdigit() and len(text) < 19


def usable_keys(key: Field[Any, Any], texts: Iterable[str]) -> list[str]:
    """Return those of the texts that can be primary keys."""
    return [text for text in texts if _can_be(key, text)]


def _expected(admin: Any, request: HttpRequest, item: Any) -> list[str]:
    if isinstance(item, type):
        return [item.parameter_name]  # type: ignore[attr-defined]
    path, make = item if isinstance(item, (tuple, list)) else (item, FieldListFilter.create)
    field = get_fields_from_path(admin.model, path)[-1]
    spec = make(field, request, {}, admin.model, admin, field_path=path)
    return [name for name in spec.expected_parameters() if name]


def _drop(request: HttpRequest, names: Iterable[str]) -> None:
    left: QueryDict = request.GET.copy()
    for name in names:
        left.pop(name, None)
    left._mutable = False
    request.GET = left  # type: ignore[assignment]


def _report(request: HttpRequest, names: list[str]) -> None:
    shown = ", ".join(name.replace("\0", "")[:50] for name in names[:_SHOWN])
    more = ", …" if len(names) > _SHOWN else ""
    text = gettext("No such filter: %(names)s. The list is shown without it.")
    messages.warning(request, text % {"names": shown + more})


def _can_be(key: Field[Any, Any], text: str) -> bool:
    if isinstance(key, IntegerField):
        return is_id(text)
    try:
        key.to_python(text)
    except ValidationError:
        return False
    return True
