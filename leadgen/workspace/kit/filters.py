"""Filters of lists whose cost does not depend on the number of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters import admin as filters

from leadgen.accounts.current_user import current_user
from leadgen.accounts.models import User
from leadgen.lib.dates import nearest_day
from leadgen.workspace.kit.scoped_admin import is_id

if TYPE_CHECKING:
    from django.contrib.admin import FieldListFilter as _RangeDateFilter
    from django.contrib.admin import SimpleListFilter as _DropdownFilter
    from django_stubs_ext import StrOrPromise
else:
    _RangeDateFilter, _DropdownFilter = filters.RangeDateFilter, filters.DropdownFilter

# The rows are a QuerySet of the model listed, with its own methods: no common type has them.
Narrow = Callable[[Any, User], QuerySet[Any]]


class ViewTabs(admin.SimpleListFilter):
    """Views of a list as tabs above it; the first one is the default.

    ``views`` maps the value in the URL to a title and to the function that narrows the rows.
    """

    title = _("view")
    parameter_name = "view"
    template = "admin/view_tabs.html"
    views: ClassVar[dict[str, tuple[StrOrPromise, Narrow]]] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(key, title) for key, (title, _narrow) in self.views.items()]

    def value(self) -> str:
        view = super().value() or ""
        return view if view in self.views else next(iter(self.views))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return self.views[self.value()][1](queryset, current_user(request))

    def choices(self, changelist: Any) -> Iterator[Any]:
        for key, (title, _narrow) in self.views.items():
            yield {
                "key": key,
                "display": title,
                "selected": key == self.value(),
                "query_string": changelist.get_query_string({self.parameter_name: key}, ["p"]),
            }


class DropdownFilter(_DropdownFilter):
    """Filter by a drop-down list."""

    @property
    def chosen(self) -> str:
        """Return the value in the URL, or an empty text."""
        return self.value() or ""

    @property
    def chosen_id(self) -> int | None:
        """Return the value as a row's number, or None for any other value."""
        return int(self.chosen) if is_id(self.chosen) else None


class DayRange(_RangeDateFilter):
    """Filter by days of the reader's time zone, both ends included, as one range of an index."""

    used_parameters: dict[str, Any]
    parameter_name: str

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = (self._day(f"{self.parameter_name}_{end}") for end in ("from", "to"))
        if first:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": first})
        if last:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": last + timedelta(days=1)})
        return queryset

    def _day(self, parameter: str) -> datetime | None:
        """Return midnight of the day; no row has a time before 1970 or after 2100."""
        try:
            day = parse_date(str(self.used_parameters.get(parameter, "")))
        except ValueError:
            return None
        return timezone.make_aware(datetime.combine(nearest_day(day), time.min)) if day else None


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """A filter in use: its title, the text of its value, and the query string without it."""

    title: str
    value: str
    without: str


def active_filters(changelist: Any) -> list[ActiveFilter]:
    """Return the filters in use, without the view (the tab)."""
    return [
        ActiveFilter(
            str(spec.title),
            _in_words(spec, changelist),
            changelist.get_query_string(remove=[*spec.expected_parameters(), "p"]),
        )
        for spec in changelist.filter_specs
        if any(spec.used_parameters.values()) and not isinstance(spec, ViewTabs)
    ]


def _in_words(spec: Any, changelist: Any) -> str:
    if isinstance(spec, DayRange):
        ends = [
            str(spec.used_parameters.get(str(name)) or "") for name in spec.expected_parameters()
        ]
        return " – ".join(ends)
    if isinstance(spec, DropdownFilter):
        titles = {str(value): str(title) for value, title in spec.lookup_choices}
        return titles.get(str(spec.chosen), "")
    chosen = (choice["display"] for choice in spec.choices(changelist) if choice["selected"])
    return str(next(chosen, ""))
