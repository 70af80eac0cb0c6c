"""Pages over tables too large to count."""

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
else:
    AnyPaginator = Paginator

CAP = 10_000


class CappedPaginator(AnyPaginator):
    """Counts no further than ``CAP`` rows, so a page costs the same at a million rows.

    Deeper pages do not exist: a person narrows the list instead.
    """

    template_name = "admin/capped_pagination.html"

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:CAP].count())

    @property
    def shown_count(self) -> str:
        """The number of rows for people: ``10,000+`` where counting has stopped."""
        return f"{self.count:,}" + ("+" if self.count >= CAP else "")
