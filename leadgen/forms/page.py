"""The hosted page: HTML from a definition, complete without JavaScript."""

from collections.abc import Mapping

from leadgen.forms.definition import Definition

# Written where per-request hidden inputs go; the edge puts them in when it serves the page.
HIDDEN_SLOT = "<!--leadgen:hidden-->"


def form_page(
    definition: Definition,
    *,
    values: Mapping[str, list[str]] | None = None,
    errors: Mapping[str, list[str]] | None = None,
) -> str:
    """Return the whole page with HIDDEN_SLOT inside the form; values and errors fill it again.

    ``values`` are texts as posted; errors keyed "" concern the whole form.
    """
    raise NotImplementedError


def thanks_page(definition: Definition, receipt: str) -> str:
    """Return the page that thanks and names the receipt."""
    raise NotImplementedError


def message_page(title: str, text: str) -> str:
    """Return a plain page for visitors: no such form, too large, try again."""
    raise NotImplementedError


def hidden_inputs(values: Mapping[str, str]) -> str:
    """Return escaped ``<input type=hidden>`` elements to put in HIDDEN_SLOT."""
    raise NotImplementedError
