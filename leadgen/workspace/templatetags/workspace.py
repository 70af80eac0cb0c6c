"""Template filters and tags of the workspace."""

from typing import Any

from django import template

from leadgen.workspace.kit import html

register = template.Library()
register.filter("ago", html.ago)
register.filter("day", html.day)
register.filter("event", html.event)
register.filter("moment", html.moment)
register.filter("phone", html.phone)


@register.simple_tag
def active_filters(changelist: Any) -> Any:
    """Return the filters in use on a list, as ``filters.ActiveFilter``."""
    # Tag libraries are loaded while unfold's own modules are still half imported.
    from leadgen.workspace.kit import filters

    return filters.active_filters(changelist)
