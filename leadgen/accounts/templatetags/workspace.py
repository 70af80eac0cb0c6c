"""What the workspace's templates need beside Django's own filters."""

from typing import Any

from django import template

from leadgen.accounts import display

register = template.Library()
register.filter("ago", display.ago)
register.filter("event", display.event)
register.filter("phone", display.phone)


@register.simple_tag
def active_filters(changelist: Any) -> Any:
    """The filters in use on a list, as ``listing.Chosen``."""
    # Tag libraries are loaded while unfold's own modules are still half imported.
    from leadgen.accounts import listing

    return listing.active_filters(changelist)
