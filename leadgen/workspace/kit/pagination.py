"""Paginator with a capped count, and the last page in place of one that is gone."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import InvalidPage, Paginator
from django.db.models.sql.where import WhereNode
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
else:
    AnyPaginator = Paginator

CAP = 10_000
# A search reads a contact for each lead that it passes on the way to this number of matches, newest
# first: `make bench ARGS="--only pages"`.
SEARCH_CAP = 300


def capped_count(rows: Any, cap: int | None = None) -> int:
    """Count the rows, ``CAP`` or another cap at most."""
    return int(rows.order_by()[: cap or CAP].count())


def first_rows(rows: Any, limit: int) -> Any:
    """Return the first rows; their keys are read before the columns and joins of the rows."""
    return _with_keys(rows, list(rows.values_list("pk", flat=True)[:limit]))


def _with_keys(rows: Any, keys: list[Any]) -> Any:
    """Return the rows of these keys, without the conditions that found the keys.

    PostgreSQL would meet a search's condition by its index once more, at the cost of a search.
    """
    found = rows.all()
    found.query.where = WhereNode()
    return found.filter(pk__in=keys)


def shown(count: int, cap: int | None = None) -> str:
    """Return a count as a text, ``10,000+`` from the cap on: on a tile as on the list behind it."""
    cap = cap or CAP
    return f"{min(count, cap):,}" + ("+" if count >= cap else "")


class CappedPaginator(AnyPaginator):
    """Paginator that counts ``cap`` rows at most, so the cost does not grow with the table.

    Deeper pages do not exist; the page says so, and filters narrow the list.
    """

    template_name = "admin/capped_pagination.html"
    cap: int | None = None

    @cached_property
    def count(self) -> int:
        return capped_count(self.object_list, self.cap)

    def page(self, number: int | str) -> Any:
        """Return a page; the rows that it skips are read as keys only, from an index."""
        page = super().page(number)
        rows: Any = self.object_list
        keys = list(cast("Any", page.object_list).values_list("pk", flat=True))
        page.object_list = _with_keys(rows, keys)
        return page

    @property
    def shown_count(self) -> str:
        """Return the number of rows as a text, ``10,000+`` at the cap."""
        return shown(self.count, self.cap)

    @property
    def is_cut(self) -> bool:
        """Whether more rows match than the pages have."""
        return self.count >= (self.cap or CAP)


class LastPage:
    """List (a ChangeList) that shows its last page when the page in the address is gone.

    Others answer leads meanwhile, so a list can have fewer pages than a moment ago.
    """

    page_num: int
    paginator: Any
    multi_page: bool
    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """Read the rows of the page; of the nearest page, with a message, if there is no such."""
        self._read(request)
        if not self.multi_page:  # Django reads such a list whole: no keys first
            self.result_list = self.paginator.page(1).object_list

    def _read(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)  # type: ignore[misc]
        except IncorrectLookupParameters as error:
            if not isinstance(error.__context__, InvalidPage):
                raise
            rows = self.queryset  # type: ignore[attr-defined]
            pages = self.model_admin.get_paginator(request, rows, self.list_per_page).num_pages  # type: ignore[attr-defined]
            text = gettext("There is no page %(page)s. This is page %(shown)s of %(pages)s.")
            wanted, self.page_num = self.page_num, min(max(self.page_num, 1), pages)
            details = {"page": wanted, "shown": self.page_num, "pages": pages}
            messages.warning(request, text % details)
            super().get_results(request)  # type: ignore[misc]
