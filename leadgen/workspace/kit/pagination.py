"""Paginator with a capped count."""

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
else:
    AnyPaginator = Paginator

CAP = 10_000


class CappedPaginator(AnyPaginator):
    """Paginator that counts ``CAP`` rows at most, so the cost does not grow with the table.

    Deeper pages do not exist; filters narrow the list.
    """

    template_name = "admin/capped_pagination.html"

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:CAP].count())

    @property
    def shown_count(self) -> str:
        """Return the number of rows as a text, ``10,000+`` at the cap."""
        return f"{self.count:,}" + ("+" if self.count >= CAP else "")
